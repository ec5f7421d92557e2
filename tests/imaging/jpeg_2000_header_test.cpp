#include "imaging/jpeg_2000_header.hpp"

#include <gtest/gtest.h>

#include "hostile/hostile_files.hpp"
#include "support/expect_error.hpp"

namespace medretrieval::imaging {
namespace {

using testing::blank_jpeg_2000;
using testing::ByteVector;

PixelLayout layout_of(std::size_t side, std::size_t samples = 1) {
  PixelLayout layout;
  layout.rows = layout.columns = side;
  layout.samples = samples;
  layout.bits_allocated = 8;
  return layout;
}

TEST(Jpeg2000Header, OrdinaryStylesPass) {
  EXPECT_NO_THROW(check_jpeg_2000_header(blank_jpeg_2000({.side = 4096}), layout_of(4096)));
  EXPECT_NO_THROW(check_jpeg_2000_header(blank_jpeg_2000({.side = 2048, .tile = 64, .components = 3}),
                                         layout_of(2048, 3)));
  EXPECT_NO_THROW(
      check_jpeg_2000_header(blank_jpeg_2000({.side = 4096, .layers = 20, .precinct = 7}), layout_of(4096)));
}

TEST(Jpeg2000Header, AnotherSizeIsRefused) {
  EXPECT_ERROR(check_jpeg_2000_header(blank_jpeg_2000({.side = 64}), layout_of(65)), corrupt, "65 x 65 x 1");
  EXPECT_ERROR(check_jpeg_2000_header(blank_jpeg_2000({.side = 64}), layout_of(64, 3)), corrupt,
               "of 1 components");
}

TEST(Jpeg2000Header, EveryCutOfItIsRefusedOrHarmless) {
  const ByteVector whole = blank_jpeg_2000({.side = 64, .components = 3, .precinct = 6});
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const std::span<const std::uint8_t> cut = std::span(whole).first(length);
    if (length < 51) {  // with the size
      EXPECT_ERROR(check_jpeg_2000_header(cut, layout_of(64, 3)), corrupt, "without header");
    } else {
      EXPECT_NO_THROW(check_jpeg_2000_header(cut, layout_of(64, 3)));
    }
  }
}

TEST(Jpeg2000Header, TheCodestreamOfAJp2FileIsFound) {
  const ByteVector stream = blank_jpeg_2000({.side = 8});
  EXPECT_EQ(jpeg_2000_codestream(stream).size(), stream.size());
  ByteVector file = {0, 0, 0, 12, 'j', 'P', ' ', ' ', 0x0D, 0x0A, 0x87, 0x0A};
  file.insert(file.end(), {0, 0, 0, 10, 'x', 'm', 'l', ' ', 0xFF, 0x4F});  // a box that looks like the stream
  file.insert(file.end(), {0, 0, 0, 0, 'j', 'p', '2', 'c'});               // to the end of the file
  file.insert(file.end(), stream.begin(), stream.end());
  const auto found = jpeg_2000_codestream(file);
  EXPECT_EQ(ByteVector(found.begin(), found.end()), stream);
  file.resize(22);
  EXPECT_ERROR(jpeg_2000_codestream(file), corrupt, "without codestream");
}

}  // namespace
}  // namespace medretrieval::imaging
