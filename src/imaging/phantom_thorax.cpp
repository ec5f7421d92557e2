#include "imaging/phantom_thorax.hpp"

#include <algorithm>
#include <cmath>

namespace medretrieval::imaging::phantom {

namespace {

constexpr double kLungThickness = 16;  // cm, front to back

/// An ellipse of that aspect, turned, whose extent to either side is exactly `half_width`.
Blob ellipse_of_width(Point centre, double half_width, double aspect, Point turn) {
  const double longer = half_width / std::sqrt(turn.x * turn.x + aspect * aspect * turn.y * turn.y);
  return ellipse(centre, {longer, aspect * longer}, turn);
}

/// The thickness of a ball-like body, 1 in its middle, at `depth` inside its outline.
double rounded(double depth, double radius) {
  const double rest = 1 - std::clamp(depth / radius, 0.0, 1.0);
  return std::sqrt(1 - rest * rest);
}

}  // namespace

Thorax draw_thorax(detail::Random& random) {
  Thorax thorax;
  thorax.female = random.below(2) == 0;
  thorax.age = between(random, 20, 88);
  thorax.half_width = between(random, 126, 142) - (thorax.female ? 5 : 0);
  thorax.height = between(random, 158, 172);
  thorax.thickness_cm = between(random, 19.2, 21.4);
  thorax.fat = between(random, 8, 34);
  thorax.heart_ratio = between(random, 0.39, 0.48);
  thorax.heart_tilt = between(random, 0.06, 0.11);
  thorax.aorta = between(random, 0.8, 1.1) + 0.003 * thorax.age;
  thorax.dome = between(random, 76, 94);
  thorax.left_lower = between(random, 4, 12);
  thorax.dome_curve = between(random, 0.85, 1.2);
  thorax.breast_cm = thorax.female ? between(random, 0.6, 2.6) : 0;
  thorax.shoulder_slope = between(random, 0.25, 0.45);
  thorax.rib_drop = between(random, 48, 70);
  thorax.rib_gap = between(random, 19.5, 22.5);
  thorax.rib_phase = random.uniform();
  thorax.clavicle = between(random, -6, 16);
  thorax.stomach = random.uniform() < 0.4 ? between(random, 10, 24) : 0;
  for (const double side : {-1.0, 1.0}) {
    const VesselTree tree{.root = {{side * 34, -8}, 0},
                          .centre = {{side * 74, 2}, 0},
                          .half_axes = {{60, 112}, 70},
                          .leaves = 600,
                          .leaf_radius = 0.5};
    const std::vector<Vessel> grown = grow_vessels(tree, random);
    thorax.vessels.insert(thorax.vessels.end(), grown.begin(), grown.end());
  }
  return thorax;
}

ThoraxOutline::ThoraxOutline(const Thorax& thorax, const Pose& pose) : thorax_(thorax), pose_(pose) {
  const double width = thorax.half_width;
  cage_ = ellipse({0, 38}, {width, thorax.height});
  cage_.harmonics = 4;
  cage_.cosine[3] = -0.03;
  // A third of the heart lies right of the middle; its extent is the cardiothoracic ratio's by construction.
  const double heart_half_width = pose.heart_ratio * width;
  heart_ =
      ellipse_of_width({0.33 * heart_half_width, thorax.dome + pose.breath - 0.62 * heart_half_width + 10},
                       heart_half_width, 0.74, unit_vector(thorax.heart_tilt));
  great_vessels_ = {
      ellipse({0, -20}, {20, 400}),                                // the column of the spine
      ellipse({2, -170}, {40, 80}),                                // neck vessels
      ellipse({17, -52}, {17 * thorax.aorta, 17 * thorax.aorta}),  // aortic knob
      ellipse({24, -26}, {15, 20}),                                // pulmonary trunk
      ellipse({-17, -38}, {13, 48}),                               // superior vena cava
      ellipse({14, 0}, {24, 46}, unit_vector(0.04)),               // left upper heart
  };
}

double ThoraxOutline::mediastinum_depth(Point point) const {
  double depth = heart_.near_depth(point);
  for (const Blob& vessel : great_vessels_) depth = smooth_union(depth, vessel.near_depth(point), 18);
  return depth;
}

double ThoraxOutline::diaphragm(double x) const {
  const double side = x > 0 ? 1.0 : -1.0;
  const double across = (std::abs(x) - 0.46 * thorax_.half_width) / (0.54 * thorax_.half_width);
  const double fall =
      across > 0 ? 40 * across * across * across * across + 14 * across * across : 16 * across * across;
  const double top = thorax_.dome + pose_.breath - (pose_.lying ? 10 : 0) +
                     (side > 0 ? thorax_.left_lower - pose_.left_rise : -pose_.right_rise);
  return top + thorax_.dome_curve * fall;
}

double ThoraxOutline::angle_bottom(double side) const {
  return diaphragm(side * 0.93 * thorax_.half_width);
}

/// Neck, shoulders and trunk, without breasts.
double ThoraxOutline::body_cm(Point point) const {
  const double beside = std::abs(point.x);
  const double trunk = mix(thorax_.half_width + 22 + thorax_.fat, 250, smooth_step(-25, -120, point.y));
  const double top = -148 + thorax_.shoulder_slope * std::max(beside - 55, 0.0);
  const double below_shoulder = point.y - top;
  const double inside = trunk - beside;
  double thickness = thorax_.thickness_cm * mix(0.3, 1, rounded(inside, 0.8 * trunk)) *
                     mix(0.55, 1, smooth_step(0, 90, below_shoulder));
  thickness *= smooth_step(-1.5, 22, below_shoulder) * smooth_step(-1.5, 1.5, inside);
  const double neck = 13 * rounded(50 - beside, 50) * smooth_step(-70, -125, point.y);
  return smooth_union(thickness, neck, 3);
}

double ThoraxOutline::lung_cm(Point point) const {
  const double inside = cage_depth(point);
  if (inside <= 0) return 0;
  const double full = kLungThickness * rounded(inside, 62) * mix(0.72, 1, smooth_step(-125, -40, point.y));
  // Some lung lies behind the heart and behind the domes.
  const double above = coverage(diaphragm(point.x) - point.y, 1.6);
  const double recess = 0.13 * smooth_step(55, 0, point.y - diaphragm(point.x));
  const double beside = coverage(-mediastinum_depth(point), 3.5);
  const double behind = 0.24 * smooth_step(5, 70, std::abs(point.x));
  return full * mix(recess, 1, above) * mix(behind, 1, beside);
}

double ThoraxOutline::breast_cm(Point point) const {
  if (thorax_.breast_cm == 0) return 0;
  const double size = 50 + 6 * thorax_.breast_cm;
  const Blob breast =
      ellipse({(point.x > 0 ? 1.0 : -1.0) * 0.58 * thorax_.half_width, 62}, {size, 0.85 * size});
  const double depth = breast.depth(point);
  // The lower fold is sharp, the upper side fades.
  return thorax_.breast_cm * rounded(depth, 40) * smooth_step(10, 60, point.y + 0.3 * std::max(depth, 0.0));
}

void ThoraxOutline::paint(Projection& projection) const {
  projection.tissue.paint_all([&](std::size_t x, std::size_t y, Point point) {
    projection.tissue.at(x, y) = body_cm(point) + breast_cm(point);
    projection.lung.at(x, y) = lung_cm(point);
  });
  paint_projection(thorax_.vessels, projection.vessels);
  for (const double side : {-1.0, 1.0}) {
    const Blob hilum = ellipse({side * 36, -10}, {15, 27}, unit_vector(0.03 * side));
    projection.tissue.paint_near(hilum.centre, 30, [&](std::size_t x, std::size_t y, Point point) {
      projection.tissue.at(x, y) +=
          1.6 * smooth_step(0, 14, hilum.depth(point)) * std::min(projection.lung.at(x, y) / 6, 1.0);
    });
  }
  if (thorax_.stomach > 0) {
    const Blob bubble = ellipse({52, diaphragm(52) + 8 + 0.7 * thorax_.stomach},
                                {1.6 * thorax_.stomach, 0.7 * thorax_.stomach});
    projection.tissue.paint_near(
        bubble.centre, bubble.reach() + 2, [&](std::size_t x, std::size_t y, Point point) {
          projection.tissue.at(x, y) -= 5 * rounded(bubble.depth(point), thorax_.stomach);
        });
  }
}

}  // namespace medretrieval::imaging::phantom
