#include "torch/networks/spatial_attention.hpp"

#include <torch/nn/functional.h>
#include <torch/nn/modules.h>

#include <algorithm>

#include "base/concat.hpp"
#include "torch/option_texts.hpp"

namespace medretrieval::deep::networks {

namespace nn = ::torch::nn;
using ::torch::Tensor;

namespace {

Tensor highest_around(const Tensor& places) {
  return ::torch::max_pool2d(places, 3, 1, 1);
}

/// rows x 1 x height x width
Tensor describe(const Tensor& places, Descriptor descriptor) {
  if (descriptor == Descriptor::max) return places.amax(1, true);
  if (descriptor == Descriptor::mean) return places.mean(1, true);
  return highest_around(places).mean(1, true);
}

}  // namespace

std::vector<Descriptor> parse_descriptors(const std::string& text) {
  static const OptionTexts<Descriptor> words = {
      {"max", Descriptor::max}, {"mean", Descriptor::mean}, {"pool", Descriptor::pool}};
  std::vector<Descriptor> descriptors;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('+', begin), text.size());
    const Parameters word = {{"descriptors", text.substr(begin, end - begin)}};
    descriptors.push_back(words.at(word, "descriptors"));
    if (std::count(descriptors.begin(), descriptors.end(), descriptors.back()) > 1) {
      detail::fail(ErrorCode::invalid_argument, "option 'descriptors': expected each of ", words.names(),
                   " at most once, got '", text, "'");
    }
    begin = end + 1;
  }
  return descriptors;
}

SpatialAttentionImpl::SpatialAttentionImpl(std::vector<Descriptor> descriptors, std::int64_t nodes)
    : descriptors_(std::move(descriptors)) {
  // A perceptron at each place, so that it does not depend on the size of the image.
  const auto layer = [](std::int64_t inputs, std::int64_t outputs) {
    return nn::Conv2d(nn::Conv2dOptions(inputs, outputs, 1));
  };
  perceptron_ = register_module("perceptron", nn::Sequential(layer(1, nodes), nn::ReLU(), layer(nodes, 1)));
  convolution_ = register_module(
      "convolution",
      nn::Conv2d(nn::Conv2dOptions(static_cast<std::int64_t>(descriptors_.size()), 1, 3).padding(1)));
}

std::pair<Tensor, Tensor> SpatialAttentionImpl::forward(const Tensor& places) {
  const Tensor pooled = highest_around(places);
  std::vector<Tensor> parts;
  for (const auto descriptor : descriptors_) {
    parts.push_back(perceptron_->forward(describe(pooled, descriptor)));
  }
  const Tensor map = ::torch::tanh(convolution_(::torch::cat(parts, 1)));
  return {map * pooled, map.squeeze(1)};
}

}  // namespace medretrieval::deep::networks
