#include "base/half.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <medretrieval/stored_features.hpp>
#include <vector>

namespace medretrieval::detail {
namespace {

TEST(Half, EveryFiniteHalfComesBack) {
  for (std::uint32_t half = 0; half < 0x10000; ++half) {
    if ((half & 0x7c00U) == 0x7c00U) continue;
    EXPECT_EQ(to_half(from_half(static_cast<std::uint16_t>(half))), half);
  }
}

TEST(Half, InfinitiesAndNotNumbersStaySo) {
  EXPECT_EQ(from_half(0x7c00), std::numeric_limits<float>::infinity());
  EXPECT_EQ(from_half(0xfc00), -std::numeric_limits<float>::infinity());
  for (unsigned half = 0x7c01; half < 0x8000; ++half) {
    EXPECT_TRUE(std::isnan(from_half(static_cast<std::uint16_t>(half)))) << half;
  }
}

TEST(Half, RoundsToTheNearestAndToEvenOnTies) {
  for (std::uint16_t half = 0; half < 0x7bff; ++half) {
    const float low = from_half(half);
    const float high = from_half(static_cast<std::uint16_t>(half + 1));
    const float middle = (low + high) / 2;
    ASSERT_LT(low, high);
    EXPECT_EQ(to_half(middle), half % 2 == 0 ? half : half + 1);
    EXPECT_EQ(to_half(std::nextafter(middle, 0.0F)), half);
    EXPECT_EQ(to_half(std::nextafter(middle, high)), half + 1);
    EXPECT_EQ(to_half(-std::nextafter(middle, high)), (half + 1) | 0x8000);
  }
  EXPECT_EQ(to_half(kMaxHalfMagnitude), 0x7bff);
  EXPECT_EQ(to_half(1e-30F), 0);
}

TEST(StoredFeatures, CopyRowsOfBothTypes) {
  const std::vector<float> floats = {1, 2, 99, -3.5F, 0, 99};
  const StoredFeatures wide(MatrixView(floats.data(), 2, 2, 3));
  std::vector<float> row(2);
  wide.copy_row(1, row);
  EXPECT_EQ(row, (std::vector<float>{-3.5F, 0}));
  EXPECT_EQ(wide.row_bytes(), 12U);
  const std::vector<std::uint16_t> halves = {to_half(1), to_half(2), to_half(-3.5F), to_half(0.25F)};
  const StoredFeatures narrow(FeatureType::float16, std::as_bytes(std::span(halves)).data(), 2, 2);
  narrow.copy_row(1, row);
  EXPECT_EQ(row, (std::vector<float>{-3.5F, 0.25F}));
  EXPECT_EQ(narrow.row_bytes(), 4U);
}

}  // namespace
}  // namespace medretrieval::detail
