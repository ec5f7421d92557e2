// Attention over the steps of a sequence: weights softmax(v' tanh(W x + b)), result their weighted sum
// (Bahdanau et al. 2015, without a query).
#pragma once

#include <torch/nn/modules/linear.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

#include <cstdint>
#include <utility>

namespace medretrieval::deep::networks {

class AdditiveAttentionImpl : public ::torch::nn::Module {
 public:
  /// \param width of a step
  /// \param nodes of the hidden layer that scores a step
  AdditiveAttentionImpl(std::int64_t width, std::int64_t nodes)
      : hidden_(register_module("hidden", ::torch::nn::Linear(width, nodes))),
        score_(register_module("score",
                               ::torch::nn::Linear(::torch::nn::LinearOptions(nodes, 1).bias(false)))) {}

  /// \param steps rows x steps x width
  /// \return the weighted sums (rows x width) and the weights (rows x steps), which sum to 1
  std::pair<::torch::Tensor, ::torch::Tensor> forward(const ::torch::Tensor& steps) {
    const auto weights = ::torch::softmax(score_(::torch::tanh(hidden_(steps))).squeeze(2), 1);
    return {::torch::bmm(weights.unsqueeze(1), steps).squeeze(1), weights};
  }

 private:
  ::torch::nn::Linear hidden_;
  ::torch::nn::Linear score_;
};
TORCH_MODULE(AdditiveAttention);

}  // namespace medretrieval::deep::networks
