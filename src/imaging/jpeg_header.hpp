// The frame header that JPEG and JPEG-LS streams share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "imaging/dicom_layout.hpp"

namespace medretrieval::imaging {

struct JpegHeader {
  std::uint8_t process = 0;  ///< the marker's second byte: 0xC0 baseline, 0xC3 lossless, 0xF7 JPEG-LS, ...
  int precision = 8;         ///< bits of a sample
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::size_t components = 1;
  std::size_t scan = 0;  ///< where the first scan header begins, behind its marker
};

inline constexpr std::uint8_t kStartOfScan = 0xDA;

/// Calls visit(marker, segment) for every marker segment up to and with the first scan header; `segment`
/// begins with its two length bytes and lies whole in the stream. Stops where the stream is no more a list of
/// segments.
template <class Visit>
void for_each_jpeg_segment(std::span<const std::uint8_t> stream, const Visit& visit) {
  std::size_t at = 0;
  while (at + 4 <= stream.size() && stream[at] == 0xFF) {
    const std::uint8_t marker = stream[at + 1];
    const bool fill = marker == 0xFF;
    const bool stands_alone = marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8);
    if (fill || stands_alone) {
      at += fill ? 1 : 2;
      continue;
    }
    const std::size_t length = std::size_t{stream[at + 2]} << 8 | stream[at + 3];
    if (length < 2 || length > stream.size() - at - 2) return;
    visit(marker, stream.subspan(at + 2, length));
    if (marker == kStartOfScan) return;
    at += 2 + length;
  }
}

/// The header of the stream's only frame, checked against the image it is to become.
/// \throws Error (corrupt) when the stream has no frame header before its first scan, or states another size
///        or more bits than `layout`.
JpegHeader read_jpeg_header(std::span<const std::uint8_t> stream, const PixelLayout& layout);

}  // namespace medretrieval::imaging
