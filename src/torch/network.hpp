// What every network of deep hashing is to training, serving and tests.
#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <torch/types.h>

#include <cstdint>
#include <medretrieval/torch/network_type.hpp>
#include <memory>
#include <string>
#include <vector>

namespace medretrieval::deep {

using ::torch::Tensor;

/// What a network says of a batch of images.
struct NetworkOutput {
  Tensor features;  ///< rows x feature_dimension(): what re-ranking compares
  Tensor hash;      ///< rows x bits, before the threshold at 0; sigmoid(hash) are the paper's values in 0..1
  Tensor logits;    ///< rows x classes, before softmax or sigmoid; undefined without a classifier
  /// rows x height x width, how much each place counted, not scaled; undefined for networks without attention.
  Tensor attention;
  /// rows x 1 x side x side, before the sigmoid; undefined without a decoder.
  Tensor reconstruction;
};

/// A part of the features and the layer that hashes it. A network has one, or several whose Hamming distances
/// are added with weights (the joint distance of paper 003).
struct HashSlice {
  std::int64_t first_column = 0;  ///< of the features
  ::torch::nn::Linear layer{nullptr};
  std::uint32_t weight = 1;
};

/// A network: one channel of grey values 0..1 in, features, code, posterior and attention out. The code is a
/// function of the features alone, through the hash slices, so that it can be served without libtorch.
class Network : public ::torch::nn::Module {
 public:
  /// \param images rows x 1 x side x side
  NetworkOutput forward(const Tensor& images);

  std::int64_t feature_dimension() const;
  const std::vector<HashSlice>& hash_slices() const noexcept { return slices_; }

 protected:
  /// Adds a hash layer over `columns` features from `first_column` on. Slices follow each other without gaps.
  void add_hash_slice(std::int64_t first_column, std::int64_t columns, std::int64_t bits,
                      std::uint32_t weight = 1);

 private:
  /// Everything but `hash` and what follows from it.
  virtual NetworkOutput analyse(const Tensor& images) = 0;
  /// The logits of a classifier that stands on the hash layer (paper 001: softmax over sigmoid(hash)). The
  /// default leaves those of analyse().
  virtual Tensor classify_hash(const Tensor& hash, const Tensor& logits);

  std::vector<HashSlice> slices_;
};

}  // namespace medretrieval::deep
