// The loss of a decoder.
#pragma once

#include <torch/types.h>

namespace medretrieval::deep {

/// Paper 003, equations 3, 5 and 12: binary cross-entropy of sigmoid(logits) against the target and
/// mse_weight times their squared difference, both the mean over pixels and images. (The paper's L2 term is
/// the optimizer's weight decay.)
/// \param logits before the sigmoid, for example rows x 1 x side x side
/// \param target of the same shape, 0..1: a nodule's mask or the input
/// \throws Error (invalid_argument) for two shapes.
::torch::Tensor reconstruction_loss(const ::torch::Tensor& logits, const ::torch::Tensor& target,
                                    double mse_weight);

}  // namespace medretrieval::deep
