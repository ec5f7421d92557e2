#include "imaging/png_check.hpp"

#include <gtest/gtest.h>

#include <medretrieval/imaging/load.hpp>
#include "support/make_images.hpp"
#include "support/test_data.hpp"

namespace medretrieval::imaging {
namespace {

TEST(IsWholeGreyPng, OfOurOwnFilesOnly) {
  const testing::TemporaryFolder folder;
  const auto file = folder / "image.png";
  Image image(20, 10, PixelUnit::display);
  image.at(3, 4) = 0.5F;
  for (const int bits : {8, 16}) {
    write_png(image, file, bits);
    EXPECT_TRUE(is_whole_grey_png(file, bits));
    EXPECT_FALSE(is_whole_grey_png(file, 24 - bits));
  }
  EXPECT_FALSE(is_whole_grey_png(folder / "absent.png", 8));
  EXPECT_FALSE(is_whole_grey_png(folder.path(), 8));
  testing::write_bytes(file, testing::make_png({2, 2, 8, 2, testing::ByteVector(12, 7), {}}));
  EXPECT_FALSE(is_whole_grey_png(file, 8)) << "colour";
}

TEST(IsWholeGreyPng, NoDamageIsPassedOver) {
  const testing::TemporaryFolder folder;
  const auto file = folder / "image.png";
  write_png(Image(9, 9, PixelUnit::display), file, 16);
  const auto whole = testing::read_bytes(file);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    testing::write_bytes(file,
                         testing::ByteVector(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(i)));
    EXPECT_FALSE(is_whole_grey_png(file, 16)) << "cut at " << i;
    auto flipped = whole;
    flipped[i] ^= 0x10;
    testing::write_bytes(file, flipped);
    EXPECT_FALSE(is_whole_grey_png(file, 16)) << "flipped at " << i;
  }
  auto longer = whole;
  longer.push_back(0);
  testing::write_bytes(file, longer);
  EXPECT_FALSE(is_whole_grey_png(file, 16));
}

}  // namespace
}  // namespace medretrieval::imaging
