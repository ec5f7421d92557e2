// The frame header that JPEG and JPEG-LS streams share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace medretrieval::imaging {

struct JpegHeader {
  std::uint8_t process = 0;  ///< the marker's second byte: 0xC0 baseline, 0xC3 lossless, 0xF7 JPEG-LS, ...
  int precision = 8;         ///< bits of a sample
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::size_t components = 1;
  std::size_t scan = 0;  ///< where the first scan header begins, behind its marker; 0 when there is none
};

/// The header of a stream's only frame, and where its first scan begins.
/// \throws Error (corrupt) when the stream has no frame header.
JpegHeader read_jpeg_header(std::span<const std::uint8_t> stream);

}  // namespace medretrieval::imaging
