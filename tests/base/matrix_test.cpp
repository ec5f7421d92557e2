#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <medretrieval/matrix.hpp>
#include <vector>

#include "support/expect_error.hpp"

namespace medretrieval {
namespace {

TEST(Matrix, IsZeroAlignedAndCopies) {
  Matrix matrix(3, 5);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(matrix.data()) % 64, 0U);
  for (std::size_t r = 0; r < 3; ++r) {
    for (const float value : matrix.row(r)) EXPECT_EQ(value, 0.0F);
  }
  matrix(2, 4) = 7;
  const Matrix copy = Matrix::copy_of(matrix.view().cols_from(3, 2));
  EXPECT_EQ(copy.cols(), 2U);
  EXPECT_EQ(copy(2, 1), 7.0F);
}

TEST(Matrix, RefusesWhatCannotBeAddressed) {
  const std::size_t huge = std::numeric_limits<std::size_t>::max() / 8;
  EXPECT_ERROR(Matrix(huge, 9), limit_exceeded, "does not fit");
}

TEST(RequireFeatures, NamesTheOffendingValue) {
  std::vector<float> values(6, 1.0F);
  const MatrixView view(values.data(), 2, 3);
  EXPECT_NO_THROW(require_features(view, "features", 3));
  EXPECT_ERROR(require_features(view, "queries", 4), invalid_argument,
               "queries: expected 4 dimensions, got 3");
  values[4] = std::nanf("");
  EXPECT_ERROR(require_features(view, "features"), invalid_argument, "row 1, column 1");
  values[4] = -std::numeric_limits<float>::infinity();
  EXPECT_ERROR(require_features(view, "features"), invalid_argument, "-inf");
  values[4] = 2e16F;
  EXPECT_ERROR(require_features(view, "features"), invalid_argument, "magnitude");
  EXPECT_ERROR(require_features(MatrixView(nullptr, 1, 3), "features"), invalid_argument, "null");
  EXPECT_ERROR(require_features(MatrixView(values.data(), 1, 0), "features"), invalid_argument, "got 0");
  EXPECT_ERROR(require_features(MatrixView(values.data(), 2, 3, 2), "features"), invalid_argument, "stride");
}

}  // namespace
}  // namespace medretrieval
