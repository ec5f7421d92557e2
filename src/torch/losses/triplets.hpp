// What the triplet losses share.
#pragma once

#include <torch/types.h>

namespace medretrieval::deep::losses {

/// The mean of max(0, margin + distance(a, p) - distance(a, n)) over all triplets of a batch: rows a and p
/// are different and similar, a and n different and dissimilar. 0 for a batch without a triplet. Time rows^2
/// log(rows), memory rows^2.
/// \param distances rows x rows
/// \param similar rows x rows, 0 or 1
::torch::Tensor mean_triplet_hinge(const ::torch::Tensor& distances, const ::torch::Tensor& similar,
                                   double margin);

}  // namespace medretrieval::deep::losses
