#include "imaging/jpeg_header.hpp"

#include <medretrieval/error.hpp>

#include "base/concat.hpp"

namespace medretrieval::imaging {

using detail::fail;

namespace {

bool is_frame_header(std::uint8_t marker) {
  const bool jpeg = marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
  return jpeg || marker == 0xF7;
}

std::size_t big_endian_16(std::span<const std::uint8_t> bytes) {
  return std::size_t{bytes[0]} << 8 | bytes[1];
}

JpegHeader find_headers(std::span<const std::uint8_t> stream) {
  JpegHeader header;
  for_each_jpeg_segment(stream, [&](std::uint8_t marker, std::span<const std::uint8_t> segment) {
    if (marker == kStartOfScan) header.scan = static_cast<std::size_t>(segment.data() - stream.data());
    if (!is_frame_header(marker) || segment.size() < 8) return;
    header.process = marker;
    header.precision = segment[2];
    header.rows = big_endian_16(segment.subspan(3));
    header.columns = big_endian_16(segment.subspan(5));
    header.components = segment[7];
  });
  return header;
}

}  // namespace

JpegHeader read_jpeg_header(std::span<const std::uint8_t> stream, const PixelLayout& layout) {
  const JpegHeader header = find_headers(stream);
  if (header.process == 0 || header.scan == 0) {
    fail(ErrorCode::corrupt, "a JPEG stream without frame or scan header");
  }
  if (header.rows != layout.rows || header.columns != layout.columns || header.components != layout.samples) {
    fail(ErrorCode::corrupt, "a JPEG frame of ", header.columns, " x ", header.rows, " x ", header.components,
         " in a DICOM image of ", layout.columns, " x ", layout.rows, " x ", layout.samples);
  }
  if (header.precision < 2 || header.precision > 16 || header.precision > layout.bits_allocated) {
    fail(ErrorCode::corrupt, "a JPEG frame of ", header.precision, " bits in a DICOM image of ",
         layout.bits_allocated, " bits");
  }
  return header;
}

}  // namespace medretrieval::imaging
