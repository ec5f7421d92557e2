// Plane geometry for the phantoms, in millimetres. Only operations that give the same bits on every machine:
// the four basic ones, the square root and rounding.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

namespace medretrieval::imaging::phantom {

/// A position or a displacement: x grows to the right of the image, y downwards.
struct Point {
  double x = 0;
  double y = 0;
};

inline Point operator+(Point a, Point b) {
  return {a.x + b.x, a.y + b.y};
}
inline Point operator-(Point a, Point b) {
  return {a.x - b.x, a.y - b.y};
}
inline Point operator*(double factor, Point a) {
  return {factor * a.x, factor * a.y};
}
inline double dot(Point a, Point b) {
  return a.x * b.x + a.y * b.y;
}
inline double length(Point a) {
  return std::sqrt(dot(a, a));
}
/// `a` turned by the angle whose cosine and sine are `turn`.
inline Point rotate(Point a, Point turn) {
  return {a.x * turn.x - a.y * turn.y, a.x * turn.y + a.y * turn.x};
}
/// `a` turned back by the angle whose cosine and sine are `turn`.
inline Point rotate_back(Point a, Point turn) {
  return {a.x * turn.x + a.y * turn.y, a.y * turn.x - a.x * turn.y};
}

/// Cosine and sine of `turns` full turns, error below 1e-13.
inline Point unit_vector(double turns) {
  const double quarters = std::nearbyint(4 * turns);
  const double angle = 6.283185307179586 * (turns - quarters / 4);  // at most pi / 4
  const double square = angle * angle;
  double cosine = 0;
  double sine = 0;
  for (int k = 14; k >= 2; k -= 2) {  // Taylor series by Horner's rule
    cosine = (1 - cosine) * square / (k * (k - 1));
    sine = (1 - sine) * square / (k * (k + 1));
  }
  const Point first{1 - cosine, angle * (1 - sine)};
  switch (static_cast<long long>(quarters) & 3) {
    case 0:
      return first;
    case 1:
      return {-first.y, first.x};
    case 2:
      return {-first.x, -first.y};
    default:
      return {first.y, -first.x};
  }
}

/// A number from 0 to 4 that grows with the angle of `a` as an angle does, without an arc tangent.
inline double pseudo_angle(Point a) {
  const double size = std::abs(a.x) + std::abs(a.y);
  if (size == 0) return 0;
  const double tilt = a.y / size;
  if (a.x < 0) return 2 - tilt;
  return tilt < 0 ? 4 + tilt : tilt;
}

inline double mix(double a, double b, double share_of_b) {
  return a + share_of_b * (b - a);
}

/// 0 at `low` and beyond, 1 at `high` and beyond, smooth between; falls where low is above high.
inline double smooth_step(double low, double high, double value) {
  const double t = std::clamp((value - low) / (high - low), 0.0, 1.0);
  return t * t * (3 - 2 * t);
}

/// The share of a pixel that a shape covers, from the depth of the pixel inside it: 0.5 on the outline.
inline double coverage(double depth, double softness) {
  return smooth_step(-softness, softness, depth);
}

/// The larger of two depths, rounded off over `radius` where they cross: the union of two shapes without a
/// notch.
inline double smooth_union(double a, double b, double radius) {
  const double share = std::clamp(0.5 + 0.5 * (a - b) / radius, 0.0, 1.0);
  return mix(b, a, share) + 0.5 * radius * share * (1 - share);
}

/// A smooth closed outline: an ellipse whose radius varies with the angle by a short Fourier series.
struct Blob {
  static constexpr std::size_t kHarmonics = 7;

  Point centre;
  Point axes{1, 1};  ///< half axes before the turn
  Point turn{1, 0};
  std::size_t harmonics = 0;  ///< how many of the amplitudes below are used
  /// Relative amplitudes of cos(k a) and sin(k a), k = index + 1.
  std::array<double, kHarmonics> cosine{};
  std::array<double, kHarmonics> sine{};

  /// How far `point` lies inside, in mm; negative outside. Exact on the outline, first order near it.
  double depth(Point point) const {
    const Point local = rotate_back(point - centre, turn);
    const Point unit{local.x / axes.x, local.y / axes.y};
    const double radius = length(unit);
    if (radius < 1e-6) return std::min(axes.x, axes.y);
    const double slope = length({unit.x / axes.x, unit.y / axes.y});
    return (outline(1 / radius * unit) - radius) * radius / slope;
  }

  /// depth() up to 25 mm outside; farther out -1000, which costs less.
  double near_depth(Point point) const {
    const Point offset = point - centre;
    const double limit = reach() + 25;
    return dot(offset, offset) > limit * limit ? -1000 : depth(point);
  }

  /// No point of the outline is farther than this from the centre.
  double reach() const {
    double farthest = 1;
    for (std::size_t k = 0; k < harmonics; ++k) farthest += std::abs(cosine[k]) + std::abs(sine[k]);
    return farthest * std::max(axes.x, axes.y);
  }

 private:
  /// The relative radius in a direction.
  double outline(Point direction) const {
    double radius = 1;
    Point multiple{1, 0};  // cosine and sine of k times the angle
    for (std::size_t k = 0; k < harmonics; ++k) {
      multiple = rotate(multiple, direction);
      radius += cosine[k] * multiple.x + sine[k] * multiple.y;
    }
    return radius;
  }
};

/// An ellipse, turned by `turn`.
inline Blob ellipse(Point centre, Point axes, Point turn = {1, 0}) {
  Blob blob;
  blob.centre = centre;
  blob.axes = axes;
  blob.turn = turn;
  return blob;
}

/// A straight tapered stroke with round ends.
struct Stroke {
  Point from;
  Point to;
  double radius_from = 1;
  double radius_to = 1;

  struct Nearest {
    double distance;  ///< from the axis
    double radius;    ///< of the stroke there
    double along;     ///< 0 at `from`, 1 at `to`
  };
  Nearest nearest(Point point) const {
    const Point axis = to - from;
    const double square = dot(axis, axis);
    const double along = square > 0 ? std::clamp(dot(point - from, axis) / square, 0.0, 1.0) : 0.0;
    return {length(point - (from + along * axis)), mix(radius_from, radius_to, along), along};
  }
};

}  // namespace medretrieval::imaging::phantom
