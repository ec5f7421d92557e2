// Residual networks (He et al. 2016), with the parameter names of torchvision, so that weights exported from there
// load by name.
#pragma once

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "torch/network.hpp"

namespace medretrieval::deep::networks {

/// Two 3 x 3 convolutions, or 1 x 1, 3 x 3, 1 x 1 with a fourfold width at the end (bottleneck), each followed by
/// batch normalization, around a shortcut that is projected where sizes differ.
class ResidualBlockImpl : public ::torch::nn::Module {
 public:
  /// \param width of the 3 x 3 convolutions
  ResidualBlockImpl(std::int64_t inputs, std::int64_t width, std::int64_t stride, bool bottleneck);

  Tensor forward(const Tensor& input);

 private:
  void add(std::int64_t inputs, std::int64_t outputs, std::int64_t kernel, std::int64_t stride);

  std::vector<::torch::nn::Conv2d> convolutions_;
  std::vector<::torch::nn::BatchNorm2d> norms_;
  ::torch::nn::Sequential downsample_{nullptr};
};
TORCH_MODULE(ResidualBlock);

/// ResNet-18, -34 or -50 without its classifier.
class ResidualNetworkImpl : public ::torch::nn::Module {
 public:
  /// \param stages how many of the four groups of blocks it has
  /// \throws Error (invalid_argument) for another depth or number of stages.
  explicit ResidualNetworkImpl(std::int64_t depth, std::int64_t stages = 4);

  /// \param grey rows x 1 x side x side, values 0..1
  /// \return rows x channels() x places x places, places = side / 2^(stages + 1) rounded up
  Tensor forward(const Tensor& grey, const LayerObserver& observer = {});

  std::int64_t channels() const noexcept { return channels_; }

 private:
  ::torch::nn::Conv2d conv1_{nullptr};
  ::torch::nn::BatchNorm2d bn1_{nullptr};
  std::vector<::torch::nn::Sequential> layers_;
  std::int64_t channels_ = 64;
};
TORCH_MODULE(ResidualNetwork);

/// Convolutions drawn by He's rule for ReLU over outputs, as torchvision draws them.
void initialize_convolutions(::torch::nn::Module& module);

}  // namespace medretrieval::deep::networks
