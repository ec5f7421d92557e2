// The Image Pixel module: what the bytes of the pixel data mean.
#pragma once

#include <cstddef>

class DcmItem;

namespace medretrieval::imaging {

enum class Photometric { monochrome1, monochrome2, palette, rgb, ybr_full, ybr_full_422, ybr_ict, ybr_rct };

struct PixelLayout {
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::size_t frames = 1;
  std::size_t samples = 1;  ///< a pixel: 1 or 3
  int bits_allocated = 16;  ///< 1, 8, 16 or 32
  int bits_stored = 16;
  int high_bit = 15;
  bool is_signed = false;
  bool is_planar = false;  ///< uncompressed data only: all red samples of a frame, then all green, all blue
  Photometric photometric = Photometric::monochrome2;

  std::size_t pixels() const noexcept { return rows * columns; }
  /// Of one sample after decoding; a single bit becomes a byte.
  std::size_t sample_bytes() const noexcept {
    return bits_allocated == 1 ? 1 : static_cast<std::size_t>(bits_allocated) / 8;
  }
  /// Of one frame after decoding.
  std::size_t frame_bytes() const noexcept { return pixels() * samples * sample_bytes(); }
};

/// \throws Error corrupt (a missing or contradictory attribute), unsupported (a depth or colour model that is
///        not read here), limit_exceeded (a frame above kMaxImageSide or kMaxImagePixels).
PixelLayout read_pixel_layout(DcmItem& dataset);

}  // namespace medretrieval::imaging
