// PNG, JPEG and TIFF in memory to grey pixels.
//
// The codec libraries are called directly. OpenCV's readers would be shorter, but they fill what is missing
// from a cut JPEG or TIFF with grey and let libpng and libjpeg write to stderr.
#pragma once

#include <cstddef>
#include <cstdint>
#include <medretrieval/imaging/image.hpp>
#include <span>

namespace medretrieval::imaging {

/// Grey samples as stored, and the sample value that is white.
struct GreyRaster {
  Image image;  ///< PixelUnit::stored, 0 to `white`; colour is BT.601 luminance, transparency lies on black
  float white = 255;  ///< 255 or 65535
};

/// A black raster for a file of `file_bytes` bytes.
/// \throws Error limit_exceeded as Image and require_plausible_pixels do, corrupt when no codec could pack so
///        many pixels into the file: a few hostile bytes shall not cost gigabytes.
GreyRaster make_raster(std::size_t width, std::size_t height, float white, std::size_t file_bytes);

// Each throws Error: corrupt (cut or undecodable), unsupported, limit_exceeded; none allocates pixels before
// the size is checked.
GreyRaster decode_png(std::span<const std::uint8_t> bytes);
GreyRaster decode_jpeg(std::span<const std::uint8_t> bytes);
GreyRaster decode_tiff(std::span<const std::uint8_t> bytes);

/// BT.601 luminance.
inline float luminance(float red, float green, float blue) noexcept {
  return 0.299F * red + 0.587F * green + 0.114F * blue;
}

/// One row to grey: `channels` is 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGB, alpha), `stride` samples lie
/// between pixels. Alpha is straight: it scales the colour, and `white` is opaque.
template <class Sample>
void grey_row(const Sample* samples, std::size_t stride, std::size_t channels, float white,
              std::span<float> row) {
  for (std::size_t x = 0; x < row.size(); ++x, samples += stride) {
    const auto at = [&](std::size_t channel) { return static_cast<float>(samples[channel]); };
    const float value = channels < 3 ? at(0) : luminance(at(0), at(1), at(2));
    row[x] = channels % 2 == 1 ? value : value * (at(channels - 1) / white);
  }
}

}  // namespace medretrieval::imaging
