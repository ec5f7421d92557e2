// Class activation maps (Zhou et al. 2016): what a linear classifier over pooled features sees at each place.
#pragma once

#include <torch/types.h>

namespace medretrieval::deep::networks {

/// \param places rows x channels x height x width: the features before they are pooled
/// \param weight classes x channels, of the classifier
/// \return rows x classes x height x width, not scaled
::torch::Tensor class_activation_maps(const ::torch::Tensor& places, const ::torch::Tensor& weight);

/// The maps of all classes, each counted by the softmax of its logit, the positive part of their sum: what spoke
/// for the predicted classes. Carries no gradient.
/// \return rows x height x width
::torch::Tensor predicted_class_map(const ::torch::Tensor& places, const ::torch::Tensor& weight,
                                    const ::torch::Tensor& logits);

}  // namespace medretrieval::deep::networks
