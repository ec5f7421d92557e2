#include "torch/networks/residual_network.hpp"

#include <torch/nn/functional.h>
#include <torch/nn/init.h>

#include <array>
#include <string>

#include "base/concat.hpp"
#include "torch/networks/imagenet_input.hpp"

namespace medretrieval::deep::networks {

namespace nn = ::torch::nn;

namespace {

nn::Conv2d convolution(std::int64_t inputs, std::int64_t outputs, std::int64_t kernel, std::int64_t stride) {
  return nn::Conv2d(
      nn::Conv2dOptions(inputs, outputs, kernel).stride(stride).padding(kernel / 2).bias(false));
}

struct Depth {
  std::int64_t layers;
  bool bottleneck;
  std::array<std::int64_t, 4> blocks;
};

constexpr std::array<Depth, 3> kDepths = {
    {{18, false, {2, 2, 2, 2}}, {34, false, {3, 4, 6, 3}}, {50, true, {3, 4, 6, 3}}}};

const Depth& find_depth(std::int64_t layers) {
  for (const auto& depth : kDepths) {
    if (depth.layers == layers) return depth;
  }
  detail::fail(ErrorCode::invalid_argument, "residual network: expected a depth of 18, 34 or 50, got ",
               layers);
}

}  // namespace

ResidualBlockImpl::ResidualBlockImpl(std::int64_t inputs, std::int64_t width, std::int64_t stride,
                                     bool bottleneck) {
  const std::int64_t outputs = bottleneck ? 4 * width : width;
  if (bottleneck) {
    add(inputs, width, 1, 1);
    add(width, width, 3, stride);
    add(width, outputs, 1, 1);
  } else {
    add(inputs, width, 3, stride);
    add(width, width, 3, 1);
  }
  if (stride != 1 || inputs != outputs) {
    downsample_ = register_module(
        "downsample", nn::Sequential(convolution(inputs, outputs, 1, stride), nn::BatchNorm2d(outputs)));
  }
}

void ResidualBlockImpl::add(std::int64_t inputs, std::int64_t outputs, std::int64_t kernel,
                            std::int64_t stride) {
  const std::string number = std::to_string(convolutions_.size() + 1);
  convolutions_.push_back(register_module("conv" + number, convolution(inputs, outputs, kernel, stride)));
  norms_.push_back(register_module("bn" + number, nn::BatchNorm2d(outputs)));
}

Tensor ResidualBlockImpl::forward(const Tensor& input) {
  Tensor values = input;
  for (std::size_t i = 0; i < convolutions_.size(); ++i) {
    if (i > 0) values = values.relu_();
    values = norms_[i](convolutions_[i](values));
  }
  return values.add_(downsample_.is_empty() ? input : downsample_->forward(input)).relu_();
}

ResidualNetworkImpl::ResidualNetworkImpl(std::int64_t depth, std::int64_t stages) {
  const Depth& plan = find_depth(depth);
  if (stages < 1 || stages > 4) {
    detail::fail(ErrorCode::invalid_argument, "residual network: expected 1 to 4 stages, got ", stages);
  }
  conv1_ = register_module("conv1", convolution(3, 64, 7, 2));
  bn1_ = register_module("bn1", nn::BatchNorm2d(64));
  for (std::int64_t stage = 0; stage < stages; ++stage) {
    const std::int64_t width = std::int64_t{64} << stage;
    nn::Sequential blocks;
    for (std::int64_t block = 0; block < plan.blocks[static_cast<std::size_t>(stage)]; ++block) {
      blocks->push_back(ResidualBlock(channels_, width, block == 0 && stage > 0 ? 2 : 1, plan.bottleneck));
      channels_ = plan.bottleneck ? 4 * width : width;
    }
    layers_.push_back(register_module("layer" + std::to_string(stage + 1), blocks));
  }
  initialize_convolutions(*this);
}

Tensor ResidualNetworkImpl::forward(const Tensor& grey, const LayerObserver& observer) {
  Tensor values = bn1_(conv1_(imagenet_input(grey))).relu_();
  if (observer) observer("conv1", values);
  values = ::torch::max_pool2d(values, 3, 2, 1);
  for (std::size_t stage = 0; stage < layers_.size(); ++stage) {
    values = layers_[stage]->forward(values);
    if (observer) observer("layer" + std::to_string(stage + 1), values);
  }
  return values;
}

void initialize_convolutions(nn::Module& module) {
  for (const auto& part : module.modules(/*include_self=*/false)) {
    if (auto* convolution = part->as<nn::Conv2d>()) {
      nn::init::kaiming_normal_(convolution->weight, 0, ::torch::kFanOut, ::torch::kReLU);
      if (convolution->bias.defined()) nn::init::zeros_(convolution->bias);
    }
  }
}

}  // namespace medretrieval::deep::networks
