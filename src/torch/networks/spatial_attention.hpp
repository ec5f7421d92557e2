// The spatial attention of paper 004 (equations 1 to 5).
#pragma once

#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace medretrieval::deep::networks {

/// What a place is described by; the switches of the paper's Table 4.
enum class Descriptor {
  max,   ///< the largest channel
  mean,  ///< the mean of all channels
  pool,  ///< the channels' mean after 3 x 3 max-pooling
};

/// "max+mean+pool" or any part of it, in any order.
/// \throws Error (invalid_argument) that lists the words.
std::vector<Descriptor> parse_descriptors(const std::string& text);

class SpatialAttentionImpl : public ::torch::nn::Module {
 public:
  /// \param nodes of the hidden layer of the perceptron, which all descriptors share
  SpatialAttentionImpl(std::vector<Descriptor> descriptors, std::int64_t nodes);

  /// \param places rows x channels x height x width, the feature F
  /// \return F'' = M(F') * F' of the same shape, where F' is F after 3 x 3 max-pooling with stride 1, and the map M
  ///         (rows x height x width, -1..1)
  std::pair<::torch::Tensor, ::torch::Tensor> forward(const ::torch::Tensor& places);

 private:
  std::vector<Descriptor> descriptors_;
  ::torch::nn::Sequential perceptron_{nullptr};
  ::torch::nn::Conv2d convolution_{nullptr};
};
TORCH_MODULE(SpatialAttention);

}  // namespace medretrieval::deep::networks
