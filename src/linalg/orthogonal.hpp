// Principal components and rotations: the small eigenvalue and singular value problems, solved by Eigen in
// double precision on the calling thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <medretrieval/matrix.hpp>
#include <vector>

#include "base/random.hpp"
#include "linalg/matrix_multiply.hpp"

namespace medretrieval::linalg {

/// The directions of largest variance.
struct PrincipalComponents {
  std::vector<float> mean;
  Matrix directions;  ///< one unit row each, by falling variance; the largest entry of a row is positive
  std::vector<double> variances;  ///< of the data along each direction
};

/// The largest dimension whose eigenvalue problem is solved.
inline constexpr std::size_t kMaxPrincipalDimension = 8192;

/// \param count 1 to the number of columns
/// \throws Error (limit_exceeded) above kMaxPrincipalDimension columns.
PrincipalComponents principal_components(MatrixView points, std::size_t count, int threads);

/// The column means, summed in double precision.
std::vector<float> column_means(MatrixView points);

/// Rows of `points` minus `mean`.
Matrix centered(MatrixView points, const std::vector<float>& mean);

/// A rotation drawn uniformly (QR of a Gaussian matrix with the signs of R's diagonal made positive).
Matrix random_rotation(std::size_t size, detail::Random& random);

/// The orthogonal matrix R = U transpose(V) that maximises trace(transpose(R) M), for M = U S transpose(V)
/// (the orthogonal Procrustes problem, Schönemann 1966). M is square.
Matrix nearest_orthogonal(const DoubleMatrix& m);

}  // namespace medretrieval::linalg
