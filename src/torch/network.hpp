// What every network of deep hashing is to training, serving and tests.
#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <medretrieval/torch/network_type.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace medretrieval::deep {

using ::torch::Tensor;

/// What a network says of a batch of images.
struct NetworkOutput {
  Tensor features;  ///< rows x feature_dimension(): what re-ranking compares
  Tensor hash;      ///< rows x bits, before the threshold at 0; sigmoid(hash) are the paper's values in 0..1
  Tensor logits;    ///< rows x classes, before softmax or sigmoid; undefined without a classifier
  /// rows x height x width, at least 0: how much each place counted, not scaled. From attention, or from class
  /// activations where a classifier stands on pooled places; undefined for networks with neither.
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

/// Is shown the named layers of a network while it runs: for tests and for looking inside.
using LayerObserver = std::function<void(std::string_view layer, const Tensor& output)>;

/// A network: one channel of grey values 0..1 in, features, code, posterior and attention out. The code is a
/// function of the features alone, through the hash slices, so that it can be served without libtorch.
class Network : public ::torch::nn::Module {
 public:
  /// \param images rows x 1 x side x side
  NetworkOutput forward(const Tensor& images);

  std::int64_t feature_dimension() const;
  const std::vector<HashSlice>& hash_slices() const noexcept { return slices_; }
  /// Of all slices.
  std::int64_t code_bits() const;

  /// What must be stored beside the parameters and buffers for make_network() to make the same network again;
  /// empty for all networks whose architecture is code of this library.
  virtual const Assets& assets() const;

  /// Whether forward() gives a reconstruction.
  virtual bool has_decoder() const { return false; }

  /// Whether the features depend on the classifier's weights without a gradient to them, so that it must learn too.
  virtual bool looks_through_classifier() const { return false; }

  /// Whether the classifier stands on the hash layer, so that classification alone trains it.
  virtual bool classifies_hash() const { return false; }

  /// Whether training leaves the features of an image as they are (a frozen backbone), so that they may be
  /// computed once and given to forward_features() in every epoch.
  virtual bool has_fixed_features() const { return false; }
  /// Hash and logits of features that forward() gave; attention stays undefined. Only for networks with fixed
  /// features.
  NetworkOutput forward_features(const Tensor& features);

  /// From now on forward() shows the named layers to `observer`; an empty one ends that. Not to be called while
  /// another thread is in forward().
  void observe_layers(LayerObserver observer) { observer_ = std::move(observer); }

 protected:
  /// Adds a hash layer over `columns` features from `first_column` on. Slices follow each other without gaps.
  void add_hash_slice(std::int64_t first_column, std::int64_t columns, std::int64_t bits,
                      std::uint32_t weight = 1);

  const LayerObserver& observer() const noexcept { return observer_; }
  /// Shows the observer, if there is one, a named layer. Returns the layer.
  const Tensor& named(std::string_view layer, const Tensor& output) const;

 private:
  /// Everything but `hash` and what follows from it.
  virtual NetworkOutput analyse(const Tensor& images) = 0;
  /// The logits of a classifier that stands on the hash layer (paper 001: softmax over sigmoid(hash)). The
  /// default leaves those of analyse().
  virtual Tensor classify_hash(const Tensor& hash, const Tensor& logits);
  /// The logits of a classifier that stands on the features; asked for by forward_features().
  virtual Tensor classify_features(const Tensor& features);
  void hash_features(NetworkOutput& output);

  std::vector<HashSlice> slices_;
  LayerObserver observer_;
};

/// Puts the channels of convolutions' weights last in memory: outputs are the same but for rounding, and come faster. A
/// module from outside keeps its own order.
void put_channels_last(const Network& network);

/// Numbers that training may change.
std::int64_t parameter_count(const Network& network);

/// Completes and checks the options and the shape, then makes the network.
/// \param assets of the network's assets() when it was stored, else empty
/// \throws Error not_found, invalid_argument, and what the network's options bring with them (files).
std::shared_ptr<Network> make_network(std::string_view name, const NetworkShape& shape,
                                      const Parameters& options, const Assets& assets = {});

}  // namespace medretrieval::deep
