#include <algorithm>
#include <cmath>
#include <limits>
#include <medretrieval/imaging/image.hpp>

#include "base/concat.hpp"
#include "imaging/display.hpp"

namespace medretrieval::imaging {

using detail::fail;

Image::Image(std::size_t width, std::size_t height, PixelUnit unit)
    : width_(width), height_(height), unit_(unit) {
  if (width == 0 || height == 0 || width > kMaxImageSide || height > kMaxImageSide ||
      width * height > kMaxImagePixels) {
    fail(ErrorCode::limit_exceeded, "an image needs sides of 1 to ", kMaxImageSide, " and at most ",
         kMaxImagePixels, " pixels, got ", width, " x ", height);
  }
  pixels_.resize(width * height);
}

Image apply_window(const Image& image, const Window& window) {
  if (!(window.width > 0) || !std::isfinite(window.width) || !std::isfinite(window.center)) {
    fail(ErrorCode::invalid_argument, "a window needs a finite center and a positive width, got center ",
         window.center, ", width ", window.width);
  }
  Image display(image.width(), image.height(), PixelUnit::display);
  const double low = window.center - window.width / 2;
  std::transform(image.pixels().begin(), image.pixels().end(), display.pixels().begin(), [&](float value) {
    const double share = (value - low) / window.width;
    return share > 0 ? static_cast<float>(std::min(share, 1.0)) : 0.0F;
  });
  return display;
}

Image stretch_to_display(const Image& image) {
  float low = std::numeric_limits<float>::max();
  float high = std::numeric_limits<float>::lowest();
  for (const float value : image.pixels()) {
    if (!std::isfinite(value)) continue;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  if (!(low < high)) return Image(image.width(), image.height(), PixelUnit::display);
  const double width = double{high} - low;
  return apply_window(image, {low + width / 2, width});
}

}  // namespace medretrieval::imaging
