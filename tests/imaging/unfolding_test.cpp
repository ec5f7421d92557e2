#include "imaging/unfolding.hpp"

#include <gtest/gtest.h>

#include "support/expect_error.hpp"

namespace medretrieval::imaging {
namespace {

TEST(Unfolding, MuchIsFreeAndMoreNeedsBytes) {
  EXPECT_EQ(most_unfolded_bytes(0), std::size_t{1} << 27);
  EXPECT_EQ(most_unfolded_bytes(std::size_t{1} << 30), std::size_t{1} << 36);
  EXPECT_NO_THROW(require_plausible_pixels(std::size_t{1} << 24, 1));
  EXPECT_ERROR(require_plausible_pixels((std::size_t{1} << 24) + 1, 1), limit_exceeded,
               "16777217 pixels in 1 bytes");
  EXPECT_NO_THROW(require_plausible_pixels((std::size_t{1} << 24) + 1, (std::size_t{1} << 18) + 1));
}

TEST(Unfolding, SamplesHaveALimitThatNoFileSizeLifts) {
  EXPECT_NO_THROW(require_plausible_samples(kMaxSampleBytes, std::size_t{1} << 30));
  EXPECT_ERROR(require_plausible_samples(kMaxSampleBytes + 1, std::size_t{1} << 30), limit_exceeded,
               "at most 268435456");
  EXPECT_ERROR(require_plausible_samples(kMaxSampleBytes, 1), limit_exceeded, "at most 134217728");
}

TEST(Unfolding, LargeImagesHaveFewerScans) {
  EXPECT_EQ(most_jpeg_scans(0), 500U);
  EXPECT_EQ(most_jpeg_scans(std::size_t{1} << 24), 64U);
  EXPECT_EQ(most_jpeg_scans(std::size_t{1} << 28), 16U);
}

}  // namespace
}  // namespace medretrieval::imaging
