#include "imaging/jpeg_header.hpp"

#include <medretrieval/error.hpp>

#include "base/concat.hpp"

namespace medretrieval::imaging {

namespace {

bool is_frame_header(std::uint8_t marker) {
  const bool jpeg = marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
  return jpeg || marker == 0xF7;
}

// Markers that are not followed by a length: fill bytes, TEM, restarts, start of image.
bool stands_alone(std::uint8_t marker) {
  return marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8);
}

std::size_t big_endian_16(std::span<const std::uint8_t> bytes) {
  return std::size_t{bytes[0]} << 8 | bytes[1];
}

}  // namespace

JpegHeader read_jpeg_header(std::span<const std::uint8_t> stream) {
  constexpr std::uint8_t kStartOfScan = 0xDA;
  JpegHeader header;
  std::size_t at = 0;
  while (at + 4 <= stream.size() && stream[at] == 0xFF && header.scan == 0) {
    const std::uint8_t marker = stream[at + 1];
    if (marker == 0xFF || stands_alone(marker)) {
      at += marker == 0xFF ? 1 : 2;
      continue;
    }
    const auto segment = stream.subspan(at + 2);
    if (marker == kStartOfScan) header.scan = at + 2;
    if (is_frame_header(marker) && segment.size() >= 8) {
      header.process = marker;
      header.precision = segment[2];
      header.rows = big_endian_16(segment.subspan(3));
      header.columns = big_endian_16(segment.subspan(5));
      header.components = segment[7];
    }
    at += 2 + big_endian_16(segment);
  }
  if (header.process == 0) detail::fail(ErrorCode::corrupt, "a JPEG stream without frame header");
  return header;
}

}  // namespace medretrieval::imaging
