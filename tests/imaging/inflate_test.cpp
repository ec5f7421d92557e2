// Unpacking compressed bytes, below the readers.
#include <gtest/gtest.h>

#include "imaging/inflate.hpp"
#include "support/expect_error.hpp"
#include "support/make_images.hpp"

namespace medretrieval::imaging {
namespace {

using testing::ByteVector;

TEST(Inflate, StopsAtItsLimit) {
  const ByteVector plain(3 << 20, 7);
  const ByteVector packed = testing::deflated(plain);
  EXPECT_EQ(inflate_bytes(packed, DeflateFormat::zlib_or_gzip, plain.size()), plain);
  EXPECT_EQ(inflate_bytes(packed, DeflateFormat::zlib_or_gzip, plain.size() + 1), plain);
  EXPECT_ERROR(inflate_bytes(packed, DeflateFormat::zlib_or_gzip, plain.size() - 1), limit_exceeded,
               "3145727");
  EXPECT_ERROR(inflate_bytes(packed, DeflateFormat::zlib_or_gzip, 0), limit_exceeded, "0 bytes");
}

TEST(Inflate, ReadsBothFormatsAndRefusesWhatIsCut) {
  const ByteVector plain = {1, 2, 3};
  ByteVector packed = testing::deflated(plain);
  const std::span<const std::uint8_t> raw = std::span(packed).subspan(2, packed.size() - 6);
  EXPECT_EQ(inflate_bytes(raw, DeflateFormat::raw, 10), plain);
  EXPECT_ERROR(inflate_bytes(packed, DeflateFormat::raw, 10), corrupt, "damaged");
  EXPECT_ERROR(inflate_bytes({}, DeflateFormat::raw, 10), corrupt, "cut");
  packed.back() ^= 1;  // the checksum
  EXPECT_ERROR(inflate_bytes(packed, DeflateFormat::zlib_or_gzip, 10), corrupt, "damaged");
}

}  // namespace
}  // namespace medretrieval::imaging
