// Losses that make the codes of similar images near.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <medretrieval/torch/network_type.hpp>
#include <memory>
#include <string_view>
#include <vector>

namespace medretrieval::deep {

using ::torch::Tensor;

/// One batch as a hashing loss sees it.
struct HashBatch {
  Tensor hash;          ///< rows x bits, before any activation; bit = hash > 0
  Tensor labels;        ///< rows x classes, 0 or 1, of the dtype of `hash`; a row may have several ones
  Tensor rows;          ///< int64, the place of each row in the training set
  double progress = 0;  ///< share of the training that is done, 0 to 1, for losses that sharpen with time
  std::vector<Tensor> weights = {};  ///< of the hash layers, bits x features each, for losses that shape them
};

/// A hashing loss, prepared for a training set. Gives a scalar, the mean over pairs of different rows,
/// triplets or rows. Immutable: may be called from several threads.
class HashingLoss {
 public:
  virtual ~HashingLoss() = default;
  /// \return a scalar of the dtype of batch.hash, finite for |hash| up to 10^4. A mean over pairs or triplets
  ///         of which a batch has none is 0, with a gradient of 0; terms over rows remain.
  virtual Tensor operator()(const HashBatch& batch) const = 0;
};

/// What a loss is made for.
struct HashingTask {
  std::int64_t bits = 0;
  Tensor labels;           ///< of all training rows: rows x classes, 0 or 1, float32
  std::uint64_t seed = 1;  ///< of what is drawn, such as the centres of central similarity
};

struct HashingLossType : HashingLossInfo {
  /// From complete, checked options.
  std::function<std::unique_ptr<HashingLoss>(const HashingTask&, const Parameters&)> make;
};

/// \throws Error (not_found) that lists the registered losses.
const HashingLossType& hashing_loss_type(std::string_view name);

/// Completes and checks the parameters, then makes the loss.
/// \throws Error not_found, invalid_argument.
std::unique_ptr<HashingLoss> make_hashing_loss(std::string_view name, const Parameters& parameters,
                                               const HashingTask& task);

/// rows x rows: 1 where two rows share a label, else 0.
Tensor similarity(const Tensor& labels);

}  // namespace medretrieval::deep
