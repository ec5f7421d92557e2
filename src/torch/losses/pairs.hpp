// What the pairwise losses share.
#pragma once

#include <torch/types.h>

namespace medretrieval::deep::losses {

/// rows x rows weights that sum to 1 over all pairs of different rows, half of it on similar and half on
/// dissimilar pairs; all of it on one kind where a batch has only that. The diagonal is 0.
/// \param similar rows x rows, 0 or 1
::torch::Tensor balanced_pair_weights(const ::torch::Tensor& similar);

}  // namespace medretrieval::deep::losses
