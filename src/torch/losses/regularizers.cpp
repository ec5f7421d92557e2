#include "torch/losses/regularizers.hpp"

namespace medretrieval::deep::losses {

Tensor binary(const Tensor& codes) {
  return (codes.detach() > 0).to(codes.dtype()) * 2 - 1;
}

Tensor quantization_error(const Tensor& codes) {
  return (codes - binary(codes)).pow(2).sum(1).mean();
}

Tensor magnitude_error(const Tensor& codes) {
  return (codes.abs() - 1).abs().sum(1).mean();
}

Tensor bit_imbalance(const Tensor& codes) {
  return codes.mean(0).pow(2).sum();
}

Tensor bit_variance(const Tensor& codes) {
  return (codes - codes.mean(0)).pow(2).sum(1).mean();
}

Tensor orthogonality_error(const Tensor& weights) {
  return (weights.mm(weights.t()) - ::torch::eye(weights.size(0), weights.options())).pow(2).sum();
}

}  // namespace medretrieval::deep::losses
