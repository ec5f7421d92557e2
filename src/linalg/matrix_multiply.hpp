// Matrix products through the dispatched kernels. Every output is one sum in ascending inner order, so
// results do not depend on threads, blocking or instruction set.
#pragma once

#include <cstddef>
#include <medretrieval/matrix.hpp>
#include <vector>

namespace medretrieval::linalg {

/// a * transpose(b): a is m x k, b is n x k, the result m x n. The shapes are the caller's care.
Matrix multiply_transposed(MatrixView a, MatrixView b, int threads);

/// A square or rectangular matrix in double precision, row-major.
struct DoubleMatrix {
  std::size_t rows = 0;
  std::size_t cols = 0;
  std::vector<double> values;

  DoubleMatrix() = default;
  DoubleMatrix(std::size_t r, std::size_t c) : rows(r), cols(c), values(r * c) {}
  double& operator()(std::size_t r, std::size_t c) { return values[r * cols + c]; }
  double operator()(std::size_t r, std::size_t c) const { return values[r * cols + c]; }
};

/// transpose(a) * b over many rows: a is n x p, b is n x q, the result p x q. Products of 1,024 rows are
/// taken in float32 and added up in double precision, in row order.
DoubleMatrix cross_product(MatrixView a, MatrixView b, int threads);

}  // namespace medretrieval::linalg
