#include "torch/losses/reconstruction.hpp"

#include "base/concat.hpp"

namespace medretrieval::deep {

::torch::Tensor reconstruction_loss(const ::torch::Tensor& logits, const ::torch::Tensor& target,
                                    double mse_weight) {
  if (logits.sizes() != target.sizes()) {
    detail::fail(ErrorCode::invalid_argument, "reconstruction: expected a target of shape ", logits.sizes(),
                 ", got ", target.sizes());
  }
  const auto cross_entropy = ::torch::binary_cross_entropy_with_logits(logits, target);
  return cross_entropy + mse_weight * ::torch::mse_loss(::torch::sigmoid(logits), target);
}

}  // namespace medretrieval::deep
