#include "torch/image_tensor.hpp"

#include <torch/nn/functional/pooling.h>
#include <torch/nn/functional/upsampling.h>

#include <algorithm>
#include <cmath>

#include "base/concat.hpp"

namespace medretrieval::deep {

using imaging::Image;
using imaging::PixelUnit;
using ::torch::Tensor;

Tensor resized(const Image& image, std::size_t side) {
  if (image.empty() || image.unit() != PixelUnit::display) {
    detail::fail(ErrorCode::invalid_argument, "network: expected an image in display units, got ",
                 image.empty() ? "an empty one" : "other units");
  }
  const auto pixels = image.pixels();
  if (!std::all_of(pixels.begin(), pixels.end(), [](float value) { return std::isfinite(value); })) {
    detail::fail(ErrorCode::invalid_argument, "network: expected finite pixels");
  }
  const auto height = static_cast<std::int64_t>(image.height());
  const auto width = static_cast<std::int64_t>(image.width());
  const auto size = static_cast<std::int64_t>(side);
  Tensor tensor = ::torch::empty({1, 1, height, width});
  std::copy(pixels.begin(), pixels.end(), tensor.data_ptr<float>());
  namespace functional = ::torch::nn::functional;
  // Each axis on its own: an image may be too wide and too low.
  const std::int64_t shrunk_height = std::min(height, size);
  const std::int64_t shrunk_width = std::min(width, size);
  if (shrunk_height != height || shrunk_width != width) {
    tensor = functional::adaptive_avg_pool2d(
        tensor, functional::AdaptiveAvgPool2dFuncOptions({shrunk_height, shrunk_width}));
  }
  if (shrunk_height != size || shrunk_width != size) {
    tensor = functional::interpolate(tensor, functional::InterpolateFuncOptions()
                                                 .size(std::vector<std::int64_t>{size, size})
                                                 .mode(::torch::kBilinear)
                                                 .align_corners(false));
  }
  return tensor.view({size, size}).clamp(0, 1);
}

Image to_image(const Tensor& pixels) {
  const Tensor flat = pixels.to(::torch::kCPU, ::torch::kFloat32).contiguous();
  Image image(static_cast<std::size_t>(flat.size(1)), static_cast<std::size_t>(flat.size(0)),
              PixelUnit::display);
  const float* values = flat.data_ptr<float>();
  std::copy(values, values + flat.numel(), image.pixels().begin());
  return image;
}

Image map_image(const Tensor& map) {
  const Tensor values = map.detach().to(::torch::kCPU, ::torch::kFloat32);
  const float low = values.min().item<float>();
  const float range = values.max().item<float>() - low;
  return to_image(range > 0 ? ((values - low) / range).clamp(0, 1) : ::torch::zeros_like(values));
}

}  // namespace medretrieval::deep
