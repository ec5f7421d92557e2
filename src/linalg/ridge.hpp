// Ridge regression, solved by Eigen in double precision on the calling thread.
#pragma once

#include <medretrieval/matrix.hpp>

#include "linalg/matrix_multiply.hpp"

namespace medretrieval::linalg {

/// The W (p x q) that minimises |X W - Y|^2 + ridge |W|^2, from the normal equations of the smaller side of X.
/// \param x n x p
/// \param y n x q
/// \throws Error (invalid_argument) when the equations cannot be solved: the ridge is too small for columns (or rows,
///         where there are fewer) that depend on one another, or a value is not finite.
DoubleMatrix ridge_regression(MatrixView x, MatrixView y, double ridge);

}  // namespace medretrieval::linalg
