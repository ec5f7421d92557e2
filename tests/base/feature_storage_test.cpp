#include "base/feature_storage.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/half.hpp"
#include "base/random.hpp"
#include "support/expect_error.hpp"

namespace medretrieval::detail {
namespace {

std::vector<float> stored_row(const std::vector<float>& row, FeatureType type) {
  const auto stored = to_stored(MatrixView(row), type);
  const Matrix values = from_stored({type, stored.data(), 1, row.size()});
  return {values.row(0).begin(), values.row(0).end()};
}

TEST(FeatureStorage, TypesHaveNames) {
  for (const auto type : {FeatureType::float32, FeatureType::float16, FeatureType::uint8}) {
    EXPECT_EQ(feature_type(feature_type_name(type)), type);
  }
  EXPECT_EQ(feature_type_name(FeatureType::uint8), "uint8");
  EXPECT_ERROR(feature_type("int8"), invalid_argument, "'float16' or 'uint8', got 'int8'");
}

TEST(FeatureStorage, EveryTypeKeepsWhatItCanHold) {
  EXPECT_EQ(stored_row({1.1F, -3, 0}, FeatureType::float32), (std::vector<float>{1.1F, -3, 0}));
  EXPECT_EQ(stored_row({1.1F, -3, 0}, FeatureType::float16),
            (std::vector<float>{from_half(to_half(1.1F)), -3, 0}));
  EXPECT_EQ(stored_row({-1, 254, 0.4F, 0.6F, 99}, FeatureType::uint8),
            (std::vector<float>{-1, 254, 0, 1, 99}))
      << "a step of 1";
  EXPECT_EQ(StoredFeatures::row_bytes(FeatureType::uint8, 5), 13U);
}

TEST(FeatureStorage, ABytesRowBeginsWithLeastValueAndStep) {
  const std::vector<float> row = {4, -6, 1.75F};  // a range of 10, steps of 2 / 51
  const auto stored = to_stored(MatrixView(row), FeatureType::uint8);
  ASSERT_EQ(stored.size(), 11U);
  float head[2];
  std::memcpy(head, stored.data(), sizeof head);
  EXPECT_EQ(head[0], -6.0F);
  EXPECT_EQ(head[1], 10.0F / 255);
  EXPECT_EQ(stored[8], std::byte{255});
  EXPECT_EQ(stored[9], std::byte{0});
  EXPECT_EQ(stored[10], std::byte{198}) << "7.75 / 10 * 255 = 197.6";
}

TEST(FeatureStorage, BytesAreOffByHalfAStepAtMost) {
  Random random(1);
  for (const double scale : {1e-30, 1e-3, 1.0, 3e4, 9e15}) {
    for (int round = 0; round < 50; ++round) {
      std::vector<float> row(1 + random.below(70));
      const double offset = random.normal() * scale * 0.1;
      for (auto& value : row) {
        value = static_cast<float>(std::clamp(random.normal() * scale * 0.2 + offset, -1e16, 1e16));
      }
      const auto [least, largest] = std::minmax_element(row.begin(), row.end());
      const double range = static_cast<double>(*largest) - static_cast<double>(*least);
      const double rounding = 1e-6 * std::max(std::fabs(*least), std::fabs(*largest));
      const auto values = stored_row(row, FeatureType::uint8);
      for (std::size_t d = 0; d < row.size(); ++d) {
        EXPECT_NEAR(values[d], row[d], range / 510 + rounding);
      }
    }
  }
}

TEST(FeatureStorage, EqualValuesComeBackExactly) {
  for (const float value : {0.0F, -0.0F, 1.1F, -1e16F, 1e-45F}) {
    EXPECT_EQ(stored_row({value, value, value}, FeatureType::uint8),
              (std::vector<float>{value, value, value}));
    EXPECT_EQ(stored_row({value}, FeatureType::uint8), std::vector<float>{value});
  }
  const float tiny = std::numeric_limits<float>::denorm_min();
  EXPECT_EQ(stored_row({0, tiny}, FeatureType::uint8), (std::vector<float>{0, 0})) << "no step so small";
}

TEST(FeatureStorage, TheFurthestFeaturesAreSound) {
  const std::vector<float> row = {-kMaxFeatureMagnitude, kMaxFeatureMagnitude, 0};
  for (const auto type : {FeatureType::float32, FeatureType::uint8}) {
    const auto stored = to_stored(MatrixView(row), type);
    EXPECT_TRUE(are_sound({type, stored.data(), 1, 3}));
  }
  EXPECT_ERROR(to_stored(MatrixView(row), FeatureType::float16), invalid_argument, "float16, up to 65504");
}

TEST(FeatureStorage, ForgedRowsAreNotSound) {
  const std::vector<float> row = {1, 2, 3};
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
  const auto forged = [&](FeatureType type, std::size_t at, const auto& value) {
    auto stored = to_stored(MatrixView(row), type);
    std::memcpy(stored.data() + at, &value, sizeof value);
    return are_sound({type, stored.data(), 1, 3});
  };
  for (const float bad : {kNaN, kInfinity, -kInfinity, 1.1e16F}) {
    EXPECT_FALSE(forged(FeatureType::float32, 4, bad));
    EXPECT_FALSE(forged(FeatureType::uint8, 0, bad)) << "the least value";
    EXPECT_FALSE(forged(FeatureType::uint8, 4, bad)) << "the step";
  }
  EXPECT_FALSE(forged(FeatureType::uint8, 4, -1.0F));
  EXPECT_FALSE(forged(FeatureType::uint8, 4, 1e14F)) << "1e14 * 255 lies beyond all features";
  EXPECT_FALSE(forged(FeatureType::float16, 2, std::uint16_t{0x7c00}));
  for (const auto type : {FeatureType::float32, FeatureType::float16, FeatureType::uint8}) {
    EXPECT_TRUE(forged(type, 0, 0.5F)) << "a value that may be there";
  }
}

}  // namespace
}  // namespace medretrieval::detail
