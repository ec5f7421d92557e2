#include <algorithm>
#include <cmath>
#include <medretrieval/imaging/image.hpp>

#include "base/concat.hpp"

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
    return static_cast<float>(std::clamp((value - low) / window.width, 0.0, 1.0));
  });
  return display;
}

}  // namespace medretrieval::imaging
