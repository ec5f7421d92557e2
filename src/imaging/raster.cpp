#include "imaging/raster.hpp"

#include "base/concat.hpp"
#include "imaging/unfolding.hpp"

namespace medretrieval::imaging {

GreyRaster make_raster(std::size_t width, std::size_t height, float white, std::size_t file_bytes) {
  constexpr std::size_t kMaxPixelsPerByte = 8 * 1032;  // single bits, deflated as far as deflate can
  const bool within_limits =
      width <= kMaxImageSide && height <= kMaxImageSide && width * height <= kMaxImagePixels;
  if (within_limits && width * height / kMaxPixelsPerByte > file_bytes) {
    detail::fail(ErrorCode::corrupt, "a file of ", file_bytes, " bytes cannot hold ", width, " x ", height,
                 " pixels");
  }
  if (within_limits) require_plausible_pixels(width * height, file_bytes);
  return {Image(width, height, PixelUnit::stored), white};
}

}  // namespace medretrieval::imaging
