#include <algorithm>
#include <cmath>
#include <medretrieval/imaging/augment.hpp>

#include "base/concat.hpp"
#include "base/random.hpp"
#include "imaging/phantom_geometry.hpp"

namespace medretrieval::imaging {

using detail::fail;
using phantom::Point;

namespace {

/// From a pixel of the copy to the place in the image that it shows.
struct Transform {
  Point middle;
  Point turn{1, 0};
  Point shift;
  Point mirror{1, 1};  ///< -1: mirrored

  Point source_of(std::size_t x, std::size_t y) const {
    const Point from_middle = Point{static_cast<double>(x), static_cast<double>(y)} - middle - shift;
    const Point turned = phantom::rotate_back(from_middle, turn);
    return middle + Point{turned.x * mirror.x, turned.y * mirror.y};
  }
};

Transform draw_transform(const Image& image, std::uint64_t index, std::uint64_t copy,
                         const AugmentationOptions& options) {
  detail::Random random(detail::Random(detail::Random(options.seed).next() ^ index).next() ^ copy);
  const auto within = [&](double bound) { return bound * (2 * random.uniform() - 1); };
  Transform transform;
  transform.middle = {(static_cast<double>(image.width()) - 1) / 2,
                      (static_cast<double>(image.height()) - 1) / 2};
  const bool mirrored = random.below(2) == 1;
  const bool upside_down = random.below(2) == 1;
  if (options.flip_horizontal && mirrored) transform.mirror.x = -1;
  if (options.flip_vertical && upside_down) transform.mirror.y = -1;
  transform.turn = phantom::unit_vector(within(options.rotation_degrees) / 360);
  transform.shift.x = within(options.shift_pixels);
  transform.shift.y = within(options.shift_pixels);
  return transform;
}

/// The image at a place between pixels.
float sample(const Image& image, Point place) {
  const double x = std::clamp(place.x, 0.0, static_cast<double>(image.width() - 1));
  const double y = std::clamp(place.y, 0.0, static_cast<double>(image.height() - 1));
  const auto left = static_cast<std::size_t>(x);
  const auto top = static_cast<std::size_t>(y);
  const std::size_t right = std::min(left + 1, image.width() - 1);
  const std::size_t bottom = std::min(top + 1, image.height() - 1);
  const double along = x - static_cast<double>(left);
  const double down = y - static_cast<double>(top);
  const double upper = (1 - along) * image.at(left, top) + along * image.at(right, top);
  const double lower = (1 - along) * image.at(left, bottom) + along * image.at(right, bottom);
  return static_cast<float>((1 - down) * upper + down * lower);
}

}  // namespace

void AugmentationOptions::validate() const {
  if (!(rotation_degrees >= 0 && rotation_degrees <= 180)) {
    fail(ErrorCode::invalid_argument, "rotation_degrees is ", rotation_degrees, ", expected 0 to 180");
  }
  if (!(shift_pixels >= 0 && shift_pixels <= 64)) {
    fail(ErrorCode::invalid_argument, "shift_pixels is ", shift_pixels, ", expected 0 to 64");
  }
}

Image augment(const Image& image, std::uint64_t index, std::uint64_t copy,
              const AugmentationOptions& options) {
  options.validate();
  if (image.empty()) fail(ErrorCode::invalid_argument, "an image without pixels cannot be altered");
  const Transform transform = draw_transform(image, index, copy, options);
  Image result(image.width(), image.height(), image.unit());
  for (std::size_t y = 0; y < image.height(); ++y) {
    for (std::size_t x = 0; x < image.width(); ++x) {
      result.at(x, y) = sample(image, transform.source_of(x, y));
    }
  }
  return result;
}

}  // namespace medretrieval::imaging
