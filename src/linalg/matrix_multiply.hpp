// Matrix products through the dispatched kernels. Every output is one sum in ascending inner order, so
// results do not depend on threads, blocking or instruction set.
#pragma once

#include <cstddef>
#include <functional>
#include <medretrieval/matrix.hpp>
#include <vector>

namespace medretrieval::linalg {

/// a * transpose(b): a is m x k, b is n x k, the result m x n. The shapes are the caller's care.
Matrix multiply_transposed(MatrixView a, MatrixView b, int threads);

Matrix transposed(MatrixView source);

/// The right factor of many products, laid out once as the kernels read it. Immutable.
class PackedMatrix {
 public:
  explicit PackedMatrix(MatrixView rows);

  std::size_t rows() const noexcept { return rows_; }
  std::size_t cols() const noexcept { return cols_; }

 private:
  friend Matrix multiply_transposed(MatrixView a, const PackedMatrix& b, int threads);

  std::size_t rows_;
  std::size_t cols_;
  std::vector<std::vector<float>> blocks_;  // of a fixed number of rows each
};

/// a * transpose(b), bit for bit as with the plain matrix that b was packed from.
Matrix multiply_transposed(MatrixView a, const PackedMatrix& b, int threads);

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

/// Rows in each product of cross_product.
inline constexpr std::size_t kCrossRows = 1024;

/// cross_product whose right factor has `b_cols` columns and is made part by part: make_b(first row, rows of a) gives
/// as many rows as it gets, at most kCrossRows. Called from several threads.
DoubleMatrix sum_of_cross_products(MatrixView a, std::size_t b_cols, int threads,
                                   const std::function<Matrix(std::size_t, MatrixView)>& make_b);

}  // namespace medretrieval::linalg
