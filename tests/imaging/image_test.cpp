#include <gtest/gtest.h>

#include <medretrieval/imaging/image.hpp>

#include "support/expect_error.hpp"

namespace medretrieval::imaging {
namespace {

TEST(Image, HasItsShapeAndRefusesOthers) {
  const Image image(3, 2, PixelUnit::display);
  EXPECT_EQ(image.pixels().size(), 6U);
  EXPECT_ERROR(Image(0, 2, PixelUnit::display), limit_exceeded, "got 0 x 2");
  EXPECT_ERROR(Image(kMaxImageSide, kMaxImageSide, PixelUnit::display), limit_exceeded, "pixels");
}

TEST(Image, WindowMapsItsEdgesToBlackAndWhite) {
  Image image(3, 1, PixelUnit::hounsfield);
  image.at(0, 0) = -1300;
  image.at(1, 0) = -300;
  image.at(2, 0) = 900;
  const Image display = apply_window(image, {-300, 1800});
  EXPECT_EQ(display.unit(), PixelUnit::display);
  EXPECT_EQ(display.at(0, 0), 0.0F);
  EXPECT_EQ(display.at(1, 0), 0.5F);
  EXPECT_EQ(display.at(2, 0), 1.0F);
  EXPECT_ERROR(apply_window(image, {0, 0}), invalid_argument, "width 0");
}

TEST(Image, ThumbnailKeepsShapeAndMean) {
  Image image(40, 20, PixelUnit::display);
  for (std::size_t x = 0; x < 40; ++x) {
    for (std::size_t y = 0; y < 20; ++y) image.at(x, y) = x < 20 ? 0.25F : 0.75F;
  }
  const Image small = thumbnail(image, 10);
  EXPECT_EQ(small.width(), 10U);
  EXPECT_EQ(small.height(), 5U);
  EXPECT_FLOAT_EQ(small.at(0, 0), 0.25F);
  EXPECT_FLOAT_EQ(small.at(9, 4), 0.75F);
  EXPECT_EQ(thumbnail(image, 64).width(), 40U) << "never enlarged";
  EXPECT_ERROR(thumbnail(image, 0), invalid_argument, "40 x 20 and 0");
}

}  // namespace
}  // namespace medretrieval::imaging
