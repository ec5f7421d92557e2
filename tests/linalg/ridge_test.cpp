#include "linalg/ridge.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "support/expect_error.hpp"
#include "support/random_features.hpp"

namespace medretrieval::linalg {
namespace {

using testing::gaussian;

TEST(Ridge, SolvesTwoUnknownsByHand) {
  // X = [1 0; 1 1; 0 2], Y = [1; 2; 3], ridge 1: (X'X + I) = [3 1; 1 6], X'Y = [3; 8].
  DoubleMatrix gram(2, 2);
  gram.values = {2, 1, 1, 5};
  DoubleMatrix cross(2, 1);
  cross.values = {3, 8};
  const DoubleMatrix weights = solve_ridge(gram, cross, 1);
  EXPECT_NEAR(weights(0, 0), 10.0 / 17, 1e-14);
  EXPECT_NEAR(weights(1, 0), 21.0 / 17, 1e-14);
}

/// At the minimum the gradient X'(X W - Y) + ridge W is zero.
TEST(Ridge, LeavesNoGradient) {
  const Matrix x = gaussian(60, 20, 1);
  const Matrix y = gaussian(60, 3, 2);
  const DoubleMatrix gram = cross_product(x, x, 1);
  const DoubleMatrix cross = cross_product(x, y, 1);
  for (const double ridge : {1e-3, 1.0, 100.0}) {
    const DoubleMatrix weights = solve_ridge(gram, cross, ridge);
    for (std::size_t i = 0; i < 20; ++i) {
      for (std::size_t j = 0; j < 3; ++j) {
        double gradient = ridge * weights(i, j) - cross(i, j);
        for (std::size_t k = 0; k < 20; ++k) gradient += gram(i, k) * weights(k, j);
        EXPECT_NEAR(gradient, 0, 1e-9) << ridge << ": " << i << ", " << j;
      }
    }
  }
}

TEST(Ridge, RefusesEquationsWithoutASolution) {
  DoubleMatrix gram(2, 2);
  gram.values = {1, 1, 1, 1};  // two equal columns
  DoubleMatrix cross(2, 1);
  cross.values = {1, 1};
  EXPECT_ERROR(solve_ridge(gram, cross, 0), invalid_argument, "ridge of 0");
  EXPECT_NEAR(solve_ridge(gram, cross, 1)(0, 0), 1.0 / 3, 1e-14);
  gram.values[0] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_ERROR(solve_ridge(gram, cross, 1), invalid_argument, "cannot be solved");
}

}  // namespace
}  // namespace medretrieval::linalg
