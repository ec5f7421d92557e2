// Ridge regression from its normal equations, solved by Eigen in double precision on the calling thread.
#pragma once

#include "linalg/matrix_multiply.hpp"

namespace medretrieval::linalg {

/// The W (p x q) that minimises |X W - Y|^2 + ridge |W|^2.
/// \param gram transpose(X) X, p x p; only its lower half is read
/// \param cross transpose(X) Y, p x q
/// \throws Error (invalid_argument) when gram + ridge I is not positive definite: the ridge is too small for columns
///         that depend on one another, or a value is not finite.
DoubleMatrix solve_ridge(const DoubleMatrix& gram, const DoubleMatrix& cross, double ridge);

}  // namespace medretrieval::linalg
