// The training of optimized product quantization, apart from the encoder so that its objective can be
// watched.
#pragma once

#include <medretrieval/matrix.hpp>
#include <medretrieval/progress.hpp>
#include <vector>

#include "encoders/product_encoder.hpp"

namespace medretrieval::encoders {

struct OpqResult {
  Rotation rotation;
  ProductCodebook codebook;
  std::vector<double> objective;  ///< |R x - c(R x)|^2 over the training rows at each assignment; never rises
};

/// Finds a rotation R and codebooks minimising the quantization error, in turn (Ge, He, Ke, Sun 2013,
/// algorithm 1), starting from principal components dealt to the subspaces so that their variances multiply
/// to about the same (section 3.2.2).
/// \param dimension output dimensions, at most those of the features; the rest of the variance is dropped
///        first
OpqResult train_opq(MatrixView features, std::size_t dimension, std::size_t rotations,
                    const ProductOptions& options, const Progress& progress);

}  // namespace medretrieval::encoders
