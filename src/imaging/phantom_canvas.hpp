// The grid that phantoms are painted on, and the two kinds of noise that they need.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "base/random.hpp"
#include "imaging/phantom_geometry.hpp"

namespace medretrieval::imaging::phantom {

/// Where a square canvas lies in the patient.
struct Placement {
  Point centre;         ///< the patient's point in the middle of the canvas
  double field_mm = 1;  ///< side of the square that is seen
  Point turn{1, 0};     ///< how the canvas is turned against the patient
};

/// A square grid of numbers over a square of the patient.
class Canvas {
 public:
  Canvas(std::size_t side, const Placement& placement, double value)
      : side_(side),
        placement_(placement),
        spacing_(placement.field_mm / static_cast<double>(side)),
        values_(side * side, value) {}

  /// Another canvas over the same place, filled with `value`.
  Canvas same_place(double value) const { return {side_, placement_, value}; }

  std::size_t side() const { return side_; }
  /// Distance between neighbouring pixels, in mm.
  double spacing() const { return spacing_; }
  double& at(std::size_t x, std::size_t y) { return values_[y * side_ + x]; }
  double at(std::size_t x, std::size_t y) const { return values_[y * side_ + x]; }
  std::span<double> values() { return values_; }
  std::span<const double> values() const { return values_; }

  /// The patient's point under the middle of a pixel.
  Point position(std::size_t x, std::size_t y) const {
    const double half = 0.5 * static_cast<double>(side_) - 0.5;
    const Point from_centre{(static_cast<double>(x) - half) * spacing_,
                            (static_cast<double>(y) - half) * spacing_};
    return placement_.centre + rotate(from_centre, placement_.turn);
  }

  /// Column and row, with fractions, of a point of the patient.
  Point to_pixel(Point point) const {
    const double half = 0.5 * static_cast<double>(side_) - 0.5;
    const Point local = rotate_back(point - placement_.centre, placement_.turn);
    return {local.x / spacing_ + half, local.y / spacing_ + half};
  }

  /// Calls paint(x, y, position) for every pixel in the square of `reach` mm around `centre`.
  template <class Paint>
  void paint_near(Point centre, double reach, const Paint& paint) const {
    paint_box(to_pixel(centre), to_pixel(centre), reach, paint);
  }

  /// Calls paint(x, y, position) for every pixel in the box around `from` and `to`, `reach` mm wider.
  template <class Paint>
  void paint_along(Point from, Point to, double reach, const Paint& paint) const {
    paint_box(to_pixel(from), to_pixel(to), reach, paint);
  }

  /// Calls paint(x, y, position) for every pixel.
  template <class Paint>
  void paint_all(const Paint& paint) const {
    for (std::size_t y = 0; y < side_; ++y) {
      for (std::size_t x = 0; x < side_; ++x) paint(x, y, position(x, y));
    }
  }

 private:
  std::size_t clamp_to_pixel(double value) const {
    return static_cast<std::size_t>(std::clamp(value, 0.0, static_cast<double>(side_)));
  }

  template <class Paint>
  void paint_box(Point a, Point b, double reach, const Paint& paint) const {
    const double margin = reach / spacing_ + 1;
    const std::size_t left = clamp_to_pixel(std::min(a.x, b.x) - margin);
    const std::size_t right = clamp_to_pixel(std::max(a.x, b.x) + margin + 1);
    const std::size_t top = clamp_to_pixel(std::min(a.y, b.y) - margin);
    const std::size_t bottom = clamp_to_pixel(std::max(a.y, b.y) + margin + 1);
    for (std::size_t y = top; y < bottom; ++y) {
      for (std::size_t x = left; x < right; ++x) paint(x, y, position(x, y));
    }
  }

  std::size_t side_;
  Placement placement_;
  double spacing_;
  std::vector<double> values_;
};

/// Smooth random unevenness fixed to the patient: from -1 to 1, mean about 0, the same wherever and however
/// finely it is looked at. It repeats after 32 cells.
class Unevenness {
 public:
  Unevenness(detail::Random& random, double cell_mm);
  double at(Point point) const;

 private:
  static constexpr std::size_t kCells = 32;
  double cell_mm_;
  std::vector<double> lattice_;
};

/// Blurs with a bell of standard deviation `width_mm`; not at all where that is well below a pixel.
void blur(Canvas& canvas, double width_mm);

/// Adds noise of standard deviation `deviation` with the grain of a scanner: neighbours within about
/// `grain_mm` are alike.
void add_noise(Canvas& canvas, double deviation, double grain_mm, detail::Random& random);

/// Uniform between `low` and `high`.
inline double between(detail::Random& random, double low, double high) {
  return mix(low, high, random.uniform());
}

/// 1 or -1.
inline double random_side(detail::Random& random) {
  return random.below(2) == 0 ? 1.0 : -1.0;
}

}  // namespace medretrieval::imaging::phantom
