// What a training minimizes, put together from an Objective.
#pragma once

#include <torch/types.h>

#include <medretrieval/torch/network_type.hpp>
#include <memory>

#include "torch/hashing_loss.hpp"
#include "torch/network.hpp"

namespace medretrieval::deep {

/// The loss of a batch.
class BatchLoss {
 public:
  /// \param training_labels of all rows that HashBatch::rows may name: rows x classes, 0 or 1
  /// \throws Error as make_hashing_loss(); invalid_argument when nothing is minimized.
  BatchLoss(const Objective& objective, std::int64_t bits, const Tensor& training_labels, bool several_labels,
            bool balance_classes, std::uint64_t seed);

  /// \param targets of the network's decoder; undefined unless needs_targets()
  Tensor operator()(const NetworkOutput& output, const HashBatch& batch, const Tensor& targets) const;

  bool needs_targets() const noexcept { return objective_.reconstruction > 0; }

 private:
  Tensor regularizers(const Tensor& hash) const;

  Objective objective_;
  bool several_labels_;
  Tensor class_weights_;  // undefined: all 1
  std::unique_ptr<HashingLoss> hashing_;
};

}  // namespace medretrieval::deep
