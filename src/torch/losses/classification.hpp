#pragma once
#include <torch/types.h>
namespace medretrieval::deep::losses {
::torch::Tensor class_weights(const ::torch::Tensor& labels);
::torch::Tensor classification_loss(const ::torch::Tensor& logits, const ::torch::Tensor& labels,
                                    bool several_labels, const ::torch::Tensor& class_weights);
}  // namespace medretrieval::deep::losses
