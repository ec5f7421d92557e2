// Grey images as networks trained on ImageNet expect them.
#pragma once

#include <torch/types.h>

namespace medretrieval::deep::networks {

/// Repeats the grey channel three times and normalizes each with ImageNet's mean and standard deviation, so that
/// published weights load unchanged.
/// \param grey rows x 1 x height x width, values 0..1
/// \return rows x 3 x height x width
inline ::torch::Tensor imagenet_input(const ::torch::Tensor& grey) {
  const auto mean = ::torch::tensor({0.485, 0.456, 0.406}, grey.options()).view({1, 3, 1, 1});
  const auto deviation = ::torch::tensor({0.229, 0.224, 0.225}, grey.options()).view({1, 3, 1, 1});
  return (grey - mean) / deviation;
}

}  // namespace medretrieval::deep::networks
