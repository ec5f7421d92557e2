#include "torch/networks/class_activation.hpp"

#include <torch/nn/functional.h>

namespace medretrieval::deep::networks {

::torch::Tensor class_activation_maps(const ::torch::Tensor& places, const ::torch::Tensor& weight) {
  return ::torch::conv2d(places, weight.unsqueeze(2).unsqueeze(3));
}

::torch::Tensor predicted_class_map(const ::torch::Tensor& places, const ::torch::Tensor& weight,
                                    const ::torch::Tensor& logits) {
  const ::torch::NoGradGuard guard;
  const auto shares = ::torch::softmax(logits, 1).unsqueeze(2).unsqueeze(3);
  return ::torch::relu((class_activation_maps(places, weight) * shares).sum(1));
}

}  // namespace medretrieval::deep::networks
