#pragma once
#include <torch/types.h>
namespace medretrieval::deep::losses {
::torch::Tensor reconstruction_loss(const ::torch::Tensor& logits, const ::torch::Tensor& target,
                                    double mse_weight);
}  // namespace medretrieval::deep::losses
