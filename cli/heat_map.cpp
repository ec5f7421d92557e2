#include "heat_map.hpp"

#include <algorithm>
#include <cmath>

namespace medretrieval::cli {

namespace {

constexpr float kDark = 0.25F;  // of the brightness, where the map is 0

/// Value of a map at a place of a larger grid over the same area, between the middles of its cells.
float interpolated(const imaging::Image& map, double x, double y) {
  const auto within = [](double value, std::size_t count) {
    return std::clamp(value, 0.0, static_cast<double>(count - 1));
  };
  x = within(x, map.width());
  y = within(y, map.height());
  const auto x0 = static_cast<std::size_t>(x);
  const auto y0 = static_cast<std::size_t>(y);
  const std::size_t x1 = std::min(x0 + 1, map.width() - 1);
  const std::size_t y1 = std::min(y0 + 1, map.height() - 1);
  const auto across = static_cast<float>(x - static_cast<double>(x0));
  const auto down = static_cast<float>(y - static_cast<double>(y0));
  return std::lerp(std::lerp(map.at(x0, y0), map.at(x1, y0), across),
                   std::lerp(map.at(x0, y1), map.at(x1, y1), across), down);
}

}  // namespace

imaging::Image beside_heat_map(const imaging::Image& image, const imaging::Image& map) {
  imaging::Image both(2 * image.width(), image.height(), image.unit());
  const double x_scale = static_cast<double>(map.width()) / static_cast<double>(image.width());
  const double y_scale = static_cast<double>(map.height()) / static_cast<double>(image.height());
  for (std::size_t y = 0; y < image.height(); ++y) {
    for (std::size_t x = 0; x < image.width(); ++x) {
      const float looked = interpolated(map, (static_cast<double>(x) + 0.5) * x_scale - 0.5,
                                        (static_cast<double>(y) + 0.5) * y_scale - 0.5);
      both.at(x, y) = image.at(x, y);
      both.at(image.width() + x, y) = image.at(x, y) * std::lerp(kDark, 1.0F, looked);
    }
  }
  return both;
}

}  // namespace medretrieval::cli
