#include "torch/losses/classification.hpp"
#include "torch/losses/reconstruction.hpp"
namespace medretrieval::deep::losses {
using ::torch::Tensor;
Tensor class_weights(const Tensor& labels) {
  return (labels.size(0) / labels.sum(0).clamp_min(1) / labels.size(1)).clamp_max(10);
}
Tensor classification_loss(const Tensor& logits, const Tensor& labels, bool several, const Tensor& weights) {
  if (several) return ::torch::binary_cross_entropy_with_logits(logits, labels, weights);
  return ::torch::cross_entropy_loss(logits, labels.argmax(1), weights);
}
Tensor reconstruction_loss(const Tensor& logits, const Tensor& target, double w) {
  return ::torch::binary_cross_entropy_with_logits(logits, target) +
         w * (logits.sigmoid() - target).pow(2).mean();
}
}  // namespace medretrieval::deep::losses
