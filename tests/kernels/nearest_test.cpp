// The kernels of training and encoding: every instruction set against the scalar reference, and that against
// its formula.
#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <medretrieval/matrix.hpp>
#include <string>
#include <vector>

#include "kernels/dispatch.hpp"
#include "support/random_features.hpp"

namespace medretrieval::kernels {
namespace {

using testing::gaussian;

class EveryIsaNearest : public ::testing::TestWithParam<std::size_t> {
 protected:
  const KernelTable& table() const { return supported()[GetParam()]; }
};

Nearest nothing_yet() {
  Nearest nearest;
  for (std::size_t i = 0; i < kBlockRows; ++i) {
    nearest.least[i] = nearest.second[i] = std::numeric_limits<float>::infinity();
    nearest.number[i] = 0;
  }
  return nearest;
}

TEST_P(EveryIsaNearest, EqualsTheFusedScoresAndKeepsTheLowestNumberOnTies) {
  for (const std::size_t depth : {1U, 2U, 3U, 8U, 17U, 130U}) {
    for (const std::size_t count : {1U, 3U, 4U, 6U, 16U, 37U}) {
      const Matrix points = gaussian(depth, kBlockRows, 1);
      Matrix centroids = gaussian(count, depth, 2);
      for (std::size_t c = 2; c < count; c += 5) {  // repeats of the one before
        std::copy(centroids.row(c - 1).begin(), centroids.row(c - 1).end(), centroids.row(c).begin());
      }
      std::vector<float> half_norms(count, 0.25F);
      Nearest expected = nothing_yet();
      for (std::size_t i = 0; i < kBlockRows; ++i) {
        for (std::size_t c = 0; c < count; ++c) {
          float score = half_norms[c];
          for (std::size_t d = 0; d < depth; ++d)
            score = __builtin_fmaf(points(d, i), -centroids(c, d), score);
          if (score < expected.least[i]) {
            expected.second[i] = expected.least[i];
            expected.least[i] = score;
            expected.number[i] = 100 + static_cast<std::uint32_t>(c);
          } else if (score < expected.second[i]) {
            expected.second[i] = score;
          }
        }
      }
      Nearest got = nothing_yet();
      const std::size_t half = count / 2;  // in two calls
      table().nearest_centroids(points.data(), centroids.data(), half_norms.data(), half, depth, 100, got);
      table().nearest_centroids(points.data(), centroids.data() + half * depth, half_norms.data() + half,
                                count - half, depth, 100 + static_cast<std::uint32_t>(half), got);
      EXPECT_EQ(std::memcmp(&got, &expected, sizeof got), 0)
          << depth << " columns, " << count << " centroids";
    }
  }
}

TEST_P(EveryIsaNearest, PackedPointsStandSideBySide) {
  for (const std::size_t depth : {1U, 2U, 4U, 7U, 16U, 33U}) {
    for (const std::size_t count : {1U, 15U, 16U, 50U, 64U}) {
      const std::size_t stride = depth + 3;
      const Matrix rows = gaussian(count, stride, 3);
      const Matrix mean = gaussian(1, depth, 4);
      Matrix points(depth, kBlockRows);
      std::vector<float> norms(kBlockRows);
      table().pack_points(rows.data(), stride, count, mean.data(), depth, points.data(), norms.data());
      for (std::size_t i = 0; i < count; ++i) {
        float norm = 0;
        for (std::size_t d = 0; d < depth; ++d) {
          const float value = rows(i, d) - mean(0, d);
          ASSERT_EQ(points(d, i), value) << depth << " columns, row " << i;
          const float square = value * value;
          norm += square;
        }
        ASSERT_EQ(norms[i], norm);
      }
    }
  }
}

TEST_P(EveryIsaNearest, RowsAreAddedToTheirGroups) {
  for (const std::size_t width : {1U, 2U, 8U, 13U, 32U}) {
    const std::size_t stride = width + 1;
    const Matrix rows = gaussian(100, stride, 5);
    std::vector<std::uint32_t> groups(100);
    for (std::size_t i = 0; i < 100; ++i) groups[i] = static_cast<std::uint32_t>(i * i % 7);
    const std::size_t sums_stride = width + 2;
    std::vector<double> got(7 * sums_stride, 0.5);
    std::vector<double> expected = got;
    table().add_rows(rows.data(), stride, groups.data(), 100, width, got.data(), sums_stride);
    for (std::size_t i = 0; i < 100; ++i) {
      for (std::size_t d = 0; d < width; ++d) {
        expected[groups[i] * sums_stride + d] += static_cast<double>(rows(i, d));
      }
    }
    EXPECT_EQ(got, expected) << width;
  }
}

TEST_P(EveryIsaNearest, SignBitsAreThoseAboveZero) {
  for (const std::size_t count : {1U, 7U, 8U, 9U, 16U, 64U, 77U}) {
    Matrix values = gaussian(1, count, 6);
    const Matrix offsets = gaussian(1, count, 7);
    values(0, count / 2) = -offsets(0, count / 2);  // zero is not above zero
    std::vector<std::uint8_t> bits((count + 7) / 8 + 1, 0xaa);
    table().sign_bits(values.data(), offsets.data(), count, bits.data());
    for (std::size_t i = 0; i < (count + 7) / 8 * 8; ++i) {
      const bool expected = i < count && values(0, i) + offsets(0, i) > 0;
      EXPECT_EQ((bits[i / 8] >> i % 8 & 1) != 0, expected) << count << " bits, bit " << i;
    }
    EXPECT_EQ(bits.back(), 0xaa) << "nothing is written behind the bits";
  }
}

INSTANTIATE_TEST_SUITE_P(Kernels, EveryIsaNearest, ::testing::Range<std::size_t>(0, supported().size()),
                         [](const auto& tested) { return std::string(supported()[tested.param].name); });

}  // namespace
}  // namespace medretrieval::kernels
