// The bones of a frontal radiograph.
#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <vector>

#include "imaging/phantom_thorax.hpp"

namespace medretrieval::imaging::phantom {

namespace {

/// A point on the axis of a tube, with the tube's radius and how strongly it absorbs there.
struct TubePoint {
  Point position;
  double radius = 4;
  double strength = 1;
};

/// The way through a round rod, in cm.
double chord_cm(double distance, double radius) {
  const double square = radius * radius - distance * distance;
  return square > 0 ? 0.2 * std::sqrt(square) : 0.0;
}

/// What a ray crosses in a bone, in cm of water: the shell absorbs more than the marrow, so the edges are
/// brightest.
double bone_cm(double distance, double radius) {
  return 2.6 * chord_cm(distance, radius) - 2.0 * chord_cm(distance, 0.76 * radius);
}

/// Adds a tube to `tissue`; crossed(distance, radius) is what a ray crosses in it. `scratch` holds 0 before
/// and after: a tube must not add up where its pieces meet.
template <class Crossed>
void paint_tube(std::span<const TubePoint> points, const Crossed& crossed, Canvas& scratch, Canvas& tissue) {
  const auto along_pieces = [&](const auto& paint) {
    for (std::size_t i = 0; i + 1 < points.size(); ++i) {
      const Stroke stroke{points[i].position, points[i + 1].position, points[i].radius, points[i + 1].radius};
      scratch.paint_along(stroke.from, stroke.to, std::max(stroke.radius_from, stroke.radius_to),
                          [&](std::size_t x, std::size_t y, Point point) { paint(x, y, point, stroke, i); });
    }
  };
  along_pieces([&](std::size_t x, std::size_t y, Point point, const Stroke& stroke, std::size_t i) {
    const Stroke::Nearest nearest = stroke.nearest(point);
    if (nearest.distance >= nearest.radius) return;
    const double strength = mix(points[i].strength, points[i + 1].strength, nearest.along);
    const double amount = strength * crossed(nearest.distance, nearest.radius);
    if (std::abs(amount) > std::abs(scratch.at(x, y))) scratch.at(x, y) = amount;
  });
  along_pieces([&](std::size_t x, std::size_t y, Point, const Stroke&, std::size_t) {
    // Where the image has no body, as above a raised shoulder, it has no bone either.
    tissue.at(x, y) += scratch.at(x, y) * smooth_step(0, 4, tissue.at(x, y));
    scratch.at(x, y) = 0;
  });
}

/// A rib is a slanted ring seen from the front: it leaves the spine, falls to the side, and falls on towards
/// the breastbone, where cartilage does not show.
std::vector<TubePoint> rib(const Thorax& thorax, int number, double side) {
  constexpr int kPieces = 22;
  const double start = -118 + (number + thorax.rib_phase) * thorax.rib_gap;
  const double drop = thorax.rib_drop * smooth_step(-4, 3, number);
  const double level = (start + 0.5 * drop - 38) / thorax.height;
  const double across = 1.01 * thorax.half_width * std::sqrt(std::max(1 - level * level, 0.06));
  std::vector<TubePoint> points;
  for (int piece = 0; piece <= kPieces; ++piece) {
    const double along = 0.02 + 0.39 * piece / kPieces;  // turns: 0 at the spine, 0.5 at the breastbone
    const Point ring = unit_vector(along);
    const double front = smooth_step(0.2, 0.32, along);
    const double fade = smooth_step(0.41, 0.36, along);
    points.push_back({{side * across * ring.y,
                       start + 0.5 * drop * (1 - ring.x) - 9 * ring.y + 16 * front * (along - 0.25) * 4},
                      mix(3.6, 4.6, front),
                      mix(1.0, 0.5, front) * fade});
  }
  return points;
}

void paint_spine(Projection& projection) {
  constexpr double kVertebra = 22;
  Canvas& tissue = projection.tissue;
  tissue.paint_along({0, -220}, {0, 220}, 34, [&](std::size_t x, std::size_t y, Point point) {
    const double cell = point.y / kVertebra;
    const double within = cell - std::floor(cell);  // 0 and 1 in the disc
    const double body = smooth_step(0.02, 0.14, within) * smooth_step(0.98, 0.86, within);
    const double beside = std::abs(point.x);
    double bone = mix(0.4, 1.3, body) * coverage(17 - beside, 2.0);
    bone += 0.5 * coverage(36 - beside, 4.0) * smooth_step(0.2, 0.3, within) *
            smooth_step(0.55, 0.42, within);  // transverse
    const double pedicle = length({beside - 11, (within - 0.36) * kVertebra});
    bone += 0.6 * smooth_step(5.5, 3.5, pedicle);
    const double spinous = length({beside, 0.7 * (within - 0.75) * kVertebra});
    bone += 0.6 * smooth_step(4, 2.5, spinous);
    tissue.at(x, y) += bone;
  });
}

/// Windpipe and main bronchi: one tube that runs down both bronchi in turn.
void paint_windpipe(Canvas& scratch, Canvas& tissue) {
  constexpr Point kCarina{3, -46};
  constexpr std::array<TubePoint, 5> kAirway = {TubePoint{{0, -220}, 9, 1}, TubePoint{kCarina, 8.5, 1},
                                                TubePoint{{-24, -20}, 6, 0.8}, TubePoint{kCarina, 8, 1},
                                                TubePoint{{34, -14}, 5.5, 0.8}};
  paint_tube(
      kAirway, [](double distance, double radius) { return -chord_cm(distance, radius); }, scratch, tissue);
}

}  // namespace

void paint_skeleton(const Thorax& thorax, Projection& projection) {
  constexpr int kRibs = 11;
  paint_spine(projection);
  Canvas scratch = projection.tissue.same_place(0);
  paint_windpipe(scratch, projection.tissue);
  for (const double side : {-1.0, 1.0}) {
    for (int number = 0; number < kRibs; ++number) {
      paint_tube(rib(thorax, number, side), bone_cm, scratch, projection.tissue);
    }
    const double rise = thorax.clavicle;
    const std::array<TubePoint, 5> clavicle = {
        TubePoint{{side * 17, -92}, 7.5, 1.1}, TubePoint{{side * 40, -97}, 6, 1.1},
        TubePoint{{side * 75, -103 - 0.4 * rise}, 5, 1.1}, TubePoint{{side * 115, -116 - 0.8 * rise}, 5, 1.1},
        TubePoint{{side * 155, -114 - rise}, 6, 1.1}};
    paint_tube(clavicle, bone_cm, scratch, projection.tissue);
    const double blade = 0.93 * thorax.half_width;
    const std::array<TubePoint, 4> scapula = {
        TubePoint{{side * (blade - 8), -108}, 3, 0.5}, TubePoint{{side * (blade + 2), -70}, 3, 0.8},
        TubePoint{{side * (blade + 12), -30}, 3.5, 0.8}, TubePoint{{side * (blade + 34), -62}, 4, 0.9}};
    paint_tube(scapula, bone_cm, scratch, projection.tissue);
    const std::array<TubePoint, 3> shoulder = {TubePoint{{side * (blade + 34), -62}, 5, 0.9},
                                               TubePoint{{side * (blade + 52), -96}, 12, 0.8},
                                               TubePoint{{side * (blade + 78), -88}, 19, 0.8}};
    paint_tube(shoulder, bone_cm, scratch, projection.tissue);
  }
}

}  // namespace medretrieval::imaging::phantom
