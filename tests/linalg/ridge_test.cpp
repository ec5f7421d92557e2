#include "linalg/ridge.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "support/expect_error.hpp"
#include "support/random_features.hpp"

namespace medretrieval::linalg {
namespace {

using testing::gaussian;

Matrix matrix_of(std::size_t rows, std::size_t cols, const std::vector<float>& values) {
  Matrix matrix(rows, cols);
  std::copy(values.begin(), values.end(), matrix.data());
  return matrix;
}

TEST(Ridge, SolvesTwoUnknownsByHand) {
  // X'X + I = [3 1; 1 6], X'Y = [3; 8].
  const DoubleMatrix weights =
      ridge_regression(matrix_of(3, 2, {1, 0, 1, 1, 0, 2}), matrix_of(3, 1, {1, 2, 3}), 1);
  EXPECT_NEAR(weights(0, 0), 10.0 / 17, 1e-14);
  EXPECT_NEAR(weights(1, 0), 21.0 / 17, 1e-14);
}

/// At the minimum the gradient X'(X W - Y) + ridge W is zero, with more rows than columns and with fewer.
TEST(Ridge, LeavesNoGradient) {
  for (const std::size_t rows : {60U, 20U, 7U}) {
    const Matrix wider = gaussian(rows, 23, 1);
    const MatrixView x = wider.view().cols_from(2, 20);
    const Matrix y = gaussian(rows, 3, 2);
    for (const double ridge : {1e-3, 1.0, 100.0}) {
      const DoubleMatrix weights = ridge_regression(x, y, ridge);
      ASSERT_EQ(weights.rows, 20U);
      for (std::size_t j = 0; j < 3; ++j) {
        std::vector<double> misses(rows);
        for (std::size_t r = 0; r < rows; ++r) {
          misses[r] = -static_cast<double>(y(r, j));
          for (std::size_t k = 0; k < 20; ++k) misses[r] += static_cast<double>(x.row(r)[k]) * weights(k, j);
        }
        for (std::size_t i = 0; i < 20; ++i) {
          double gradient = ridge * weights(i, j);
          for (std::size_t r = 0; r < rows; ++r) gradient += static_cast<double>(x.row(r)[i]) * misses[r];
          EXPECT_NEAR(gradient, 0, 1e-8) << rows << " rows, ridge " << ridge << ": " << i << ", " << j;
        }
      }
    }
  }
}

TEST(Ridge, RefusesEquationsWithoutASolution) {
  const Matrix twice = matrix_of(2, 2, {1, 1, 1, 1});
  const Matrix y = matrix_of(2, 1, {1, 1});
  EXPECT_ERROR(ridge_regression(twice, y, 0), invalid_argument, "ridge of 0");
  EXPECT_NEAR(ridge_regression(twice, y, 1)(0, 0), 0.4, 1e-14);
  const Matrix with_nan = matrix_of(2, 2, {1, 2, std::numeric_limits<float>::quiet_NaN(), 1});
  EXPECT_ERROR(ridge_regression(with_nan, y, 1), invalid_argument, "cannot be solved");
}

}  // namespace
}  // namespace medretrieval::linalg
