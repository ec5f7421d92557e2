#include "torch/losses/classification.hpp"

namespace medretrieval::deep {

::torch::Tensor classification_loss(const ::torch::Tensor& logits, const ::torch::Tensor& labels,
                                    bool several_labels, const ::torch::Tensor& class_weights) {
  const auto weights = class_weights.defined() ? class_weights.to(logits.options())
                                               : ::torch::ones({logits.size(1)}, logits.options());
  if (several_labels) return ::torch::binary_cross_entropy_with_logits(logits, labels, {}, weights);
  const auto counts = labels * weights;
  const auto sum = counts.sum();
  const auto costs = -(counts * ::torch::log_softmax(logits, 1)).sum();
  return costs / ::torch::where(sum > 0, sum, ::torch::ones_like(sum));
}

::torch::Tensor class_weights(const ::torch::Tensor& labels, bool several_labels, double largest) {
  const auto rows_of_class = labels.sum(0);
  const auto others = several_labels ? labels.size(0) - rows_of_class
                                     : (labels.sum(1) > 0).sum().to(labels.dtype()) / labels.size(1);
  const auto weights = (others / rows_of_class).clamp(1 / largest, largest);
  return ::torch::where(rows_of_class > 0, weights, ::torch::ones_like(weights));
}

}  // namespace medretrieval::deep
