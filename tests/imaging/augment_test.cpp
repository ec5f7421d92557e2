#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <medretrieval/imaging/augment.hpp>
#include <set>
#include <vector>

#include "support/expect_error.hpp"

namespace medretrieval::imaging {
namespace {

Image ramp(std::size_t width, std::size_t height) {
  Image image(width, height, PixelUnit::display);
  for (std::size_t i = 0; i < image.pixels().size(); ++i) {
    image.pixels()[i] = static_cast<float>(i) / static_cast<float>(image.pixels().size());
  }
  return image;
}

std::vector<float> values(const Image& image) {
  return {image.pixels().begin(), image.pixels().end()};
}

constexpr AugmentationOptions kNothing = {
    .flip_horizontal = false, .flip_vertical = false, .rotation_degrees = 0, .shift_pixels = 0};

TEST(Augment, NothingAskedForChangesNothing) {
  const Image image = ramp(9, 6);
  for (std::uint64_t copy = 0; copy < 8; ++copy) {
    EXPECT_EQ(values(augment(image, 3, copy, kNothing)), values(image));
  }
  EXPECT_EQ(augment(image, 0, 0, kNothing).unit(), PixelUnit::display);
}

TEST(Augment, FlipsAreMirrorImages) {
  const Image image = ramp(9, 6);
  AugmentationOptions options = kNothing;
  options.flip_horizontal = true;
  Image mirrored = image;
  for (std::size_t y = 0; y < 6; ++y) std::reverse(mirrored.row(y).begin(), mirrored.row(y).end());
  std::set<std::vector<float>> seen;
  for (std::uint64_t copy = 0; copy < 32; ++copy) seen.insert(values(augment(image, 0, copy, options)));
  EXPECT_EQ(seen, (std::set<std::vector<float>>{values(image), values(mirrored)}));
  options.flip_vertical = true;
  seen.clear();
  for (std::uint64_t copy = 0; copy < 64; ++copy) seen.insert(values(augment(image, 0, copy, options)));
  EXPECT_EQ(seen.size(), 4U);
}

TEST(Augment, ShiftsStayWithinTheirBoundAndRepeatTheEdge) {
  Image image(21, 21, PixelUnit::hounsfield);
  std::fill(image.pixels().begin(), image.pixels().end(), -1000.0F);
  image.at(10, 10) = 1000;
  AugmentationOptions options = kNothing;
  options.shift_pixels = 3;
  for (std::uint64_t copy = 0; copy < 50; ++copy) {
    const Image moved = augment(image, 5, copy, options);
    double weight = 0;
    double x_sum = 0;
    for (std::size_t y = 0; y < 21; ++y) {
      for (std::size_t x = 0; x < 21; ++x) {
        weight += moved.at(x, y) + 1000;
        x_sum += static_cast<double>(x) * (moved.at(x, y) + 1000);
      }
    }
    EXPECT_NEAR(weight, 2000, 0.1) << "the spot is spread, not lost";
    EXPECT_LE(std::fabs(x_sum / weight - 10), 3.001);
    EXPECT_EQ(moved.at(0, 0), -1000);
  }
}

TEST(Augment, RotationsKeepTheMiddleAndTheDistanceToIt) {
  Image image(41, 41, PixelUnit::display);
  image.at(20, 20) = 1;
  image.at(32, 20) = 1;
  AugmentationOptions options = kNothing;
  options.rotation_degrees = 180;
  for (std::uint64_t copy = 0; copy < 50; ++copy) {
    const Image turned = augment(image, 0, copy, options);
    EXPECT_NEAR(turned.at(20, 20), 1, 1e-5);
    for (std::size_t y = 0; y < 41; ++y) {
      for (std::size_t x = 0; x < 41; ++x) {
        const double distance = std::hypot(static_cast<double>(x) - 20, static_cast<double>(y) - 20);
        if (turned.at(x, y) > 0 && distance > 2) {
          EXPECT_NEAR(distance, 12, 1.5);
        }
      }
    }
  }
}

TEST(Augment, CopiesFollowFromSeedIndexAndCopyAlone) {
  const Image image = ramp(16, 16);
  AugmentationOptions options;
  const auto first = values(augment(image, 7, 1, options));
  EXPECT_EQ(values(augment(image, 7, 1, options)), first);
  EXPECT_NE(values(augment(image, 7, 2, options)), first);
  EXPECT_NE(values(augment(image, 8, 1, options)), first);
  options.seed = 2;
  EXPECT_NE(values(augment(image, 7, 1, options)), first);
}

TEST(Augment, RefusesWhatIsOutOfRange) {
  AugmentationOptions options;
  options.rotation_degrees = 181;
  EXPECT_ERROR(augment(ramp(4, 4), 0, 0, options), invalid_argument, "rotation_degrees is 181");
  options = {};
  options.shift_pixels = std::numeric_limits<double>::quiet_NaN();
  EXPECT_ERROR(augment(ramp(4, 4), 0, 0, options), invalid_argument, "shift_pixels is nan");
  EXPECT_ERROR(augment(Image(), 0, 0), invalid_argument, "without pixels");
}

}  // namespace
}  // namespace medretrieval::imaging
