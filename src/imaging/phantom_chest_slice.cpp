#include "imaging/phantom_chest_slice.hpp"

#include <algorithm>
#include <cmath>

namespace medretrieval::imaging::phantom {

namespace {

constexpr double kAir = -1000;
constexpr double kFissure = -690;  // thinner than a pixel
constexpr double kFat = -100;
constexpr double kMuscle = 50;
constexpr double kSkin = 20;
constexpr double kCartilage = 110;
constexpr double kMarrow = 190;
constexpr double kCortex = 620;
constexpr double kSharpEdge = 0.6;  // mm: half of the blur of a scanner

/// The point of an outline in the direction of `turns`, and the outward normal there.
struct OutlinePoint {
  Point position;
  Point normal;
};

OutlinePoint outline_point(const Blob& blob, double turns) {
  const Point direction = unit_vector(turns);
  const Point stretched{blob.axes.x * direction.x, blob.axes.y * direction.y};
  // The depth of a point on the ellipse tells how far the outline lies outside it.
  const Point on_ellipse = blob.centre + stretched;
  const Point slope{direction.x / blob.axes.x, direction.y / blob.axes.y};
  const Point normal = 1 / length(slope) * slope;
  return {on_ellipse + blob.depth(on_ellipse) * normal, normal};
}

void blend(double& value, double target, double share) {
  value = mix(value, target, share);
}

}  // namespace

Chest draw_chest(detail::Random& random) {
  Chest chest;
  chest.level = between(random, 0.05, 0.95);
  chest.half_width = between(random, 112, 134);
  chest.half_depth = between(random, 78, 96);
  chest.squareness = between(random, 0.015, 0.05);
  chest.skew = between(random, -0.02, 0.02);
  chest.muscle = between(random, 0.75, 1.25);
  chest.fat = between(random, 7, 30);
  chest.heart = between(random, 0.85, 1.15);
  chest.blood = random.uniform() < 0.5 ? between(random, 35, 50) : between(random, 120, 240);
  chest.parenchyma = between(random, -890, -830);
  chest.gravity = between(random, 10, 50);
  chest.rib_phase = random.uniform();
  chest.fissure = between(random, -25, 25);
  for (const double side : {-1.0, 1.0}) {
    const double shift = between(random, -30, 30);
    const VesselTree tree{.root = {{side * 30, 12}, shift},
                          .centre = {{side * 72, 0}, shift},
                          .half_axes = {{55, 88}, 110},
                          .leaves = 1000,
                          .leaf_radius = 0.48};
    const std::vector<Vessel> grown = grow_vessels(tree, random);
    chest.vessels.insert(chest.vessels.end(), grown.begin(), grown.end());
  }
  for (double& amplitude : chest.wobble) amplitude = between(random, -0.06, 0.06);
  chest.grain.emplace_back(random, 4.0);
  chest.grain.emplace_back(random, 22.0);
  return chest;
}

ChestSlice::ChestSlice(const Chest& chest, double height)
    : chest_(chest), height_(height), level_(chest.level + height / 220) {
  const double widening = mix(0.84, 1.0, smooth_step(-0.1, 0.8, level_));
  cavity_ = ellipse({0, 0}, {chest.half_width * widening, chest.half_depth * mix(0.9, 1.0, widening)});
  cavity_.harmonics = 4;
  cavity_.cosine[3] = -chest.squareness;
  cavity_.cosine[2] = chest.skew;
  cavity_.sine[2] = 0.02;
  const double shoulders = 1 + 0.6 * smooth_step(0.7, 0.0, level_);
  muscle_ = cavity_;
  muscle_.axes = cavity_.axes + chest.muscle * Point{22 * shoulders, 19};
  body_ = muscle_;
  body_.axes = muscle_.axes + chest.fat * Point{1, 0.8};
  place_mediastinum();
  place_bones();
  place_ribs();
}

void ChestSlice::add_organ(Blob outline, double hounsfield) {
  outline.harmonics = 4;
  for (std::size_t k = 1; k < outline.harmonics; ++k) {
    const std::size_t drawn = 3 * organs_.size() + k;
    outline.cosine[k] = chest_.wobble[drawn % chest_.wobble.size()];
    outline.sine[k] = chest_.wobble[(drawn + 1) % chest_.wobble.size()];
  }
  organs_.push_back({outline, hounsfield});
}

void ChestSlice::place_mediastinum() {
  const double depth = cavity_.axes.y;
  const double blood = chest_.blood;
  // The band of fat between sternum and spine, and the bulge of the spine into the cavity.
  add_organ(ellipse({0, 0}, {12 + 4 * level_, 1.02 * depth}), kFat);
  add_organ(ellipse({0, 1.1 * depth}, {31, 0.5 * depth}), kMuscle);
  add_organ(ellipse({20, 0.56 * depth}, {12, 12}), blood);             // descending aorta
  add_organ(ellipse({-24, -0.06 * depth}, {9, 9}), 0.9 * blood + 10);  // superior vena cava
  // What a patient has is decided at height 0, so that no organ comes or goes between two slices.
  const double level = chest_.level;
  if (level < 0.22) {
    add_organ(ellipse({6, 0.16 * depth}, {34, 13}, unit_vector(0.14)), blood);  // arch
  } else if (level < 0.6) {
    add_organ(ellipse({-6, -0.2 * depth}, {17, 17}), blood);                     // ascending aorta
    add_organ(ellipse({20, -0.22 * depth}, {17, 14}, unit_vector(0.1)), blood);  // pulmonary trunk
    add_organ(ellipse({-8, 0.1 * depth}, {26, 8}, unit_vector(-0.02)), blood);   // right branch
  }
  if (level > 0.45) {
    const double size = chest_.heart * smooth_step(0.3, 0.75, level_);
    add_organ(ellipse({18, -0.1 * depth}, {62 * size, 43 * size}, unit_vector(0.07)), blood - 5);
    add_organ(ellipse({-20, 0.02 * depth}, {28 * size, 32 * size}), blood);
  }
  for (const double side : {-1.0, 1.0}) {  // hila
    add_organ(ellipse({side * 30, 0.14 * depth}, {8, 12}), blood - 5);
  }
  if (level < 0.38) {
    airways_.push_back(ellipse({-2, 0.3 * depth}, {9, 8.5}));
  } else {
    const double spread = 14 + 40 * (level_ - 0.38);
    for (const double side : {-1.0, 1.0}) {
      airways_.push_back(ellipse({side * std::clamp(spread, 14.0, 34.0), 0.28 * depth}, {7, 6}));
    }
  }
}

void ChestSlice::place_bones() {
  const Point vertebra = this->vertebra();
  bones_.push_back(ellipse(vertebra, {18, 14}));
  bones_.push_back(ellipse({0, -cavity_.axes.y - 10}, {19, 6}));  // sternum
  for (const double side : {-1.0, 1.0}) {
    const Point lamina = vertebra + Point{side * 13, 20};
    bone_strokes_.push_back({vertebra + Point{side * 13, 9}, lamina, 4, 4});
    bone_strokes_.push_back({lamina, vertebra + Point{0, 34}, 3.5, 3.5});
    bone_strokes_.push_back({lamina, vertebra + Point{side * 36, 26}, 4.5, 3.5});
    if (chest_.level < 0.55) {  // scapula
      const OutlinePoint outer = outline_point(cavity_, side > 0 ? 0.055 : 0.445);
      const OutlinePoint inner = outline_point(cavity_, side > 0 ? 0.13 : 0.37);
      const double gap = 16 * chest_.muscle;
      bone_strokes_.push_back(
          {outer.position + gap * outer.normal, inner.position + gap * inner.normal, 4, 2});
    }
  }
  bone_strokes_.push_back({vertebra + Point{0, 34}, vertebra + Point{0, 54}, 3.5, 3});
}

void ChestSlice::place_ribs() {
  constexpr int kSections = 7;
  // Ribs run downwards from back to front: the sections wander along the wall from slice to slice.
  const double phase = chest_.rib_phase + height_ / 18;
  const double shift = phase - std::floor(phase);
  for (const double side : {-1.0, 1.0}) {
    for (int section = 0; section < kSections; ++section) {
      const double along = (section + shift) / kSections;  // 0 at the sternum, 1 at the spine
      const double quarter_turns = mix(-0.19, 0.21, along);
      const OutlinePoint wall = outline_point(cavity_, side > 0 ? quarter_turns : 0.5 - quarter_turns);
      const double half_length = mix(8, 17, smooth_step(0.1, 0.5, along));
      const Point tangent{-wall.normal.y, wall.normal.x};
      const Blob outline = ellipse(wall.position + 6.5 * wall.normal, {half_length, 4.6}, tangent);
      (along < 0.15 ? cartilages_ : bones_).push_back(outline);
    }
  }
}

template <class Visit>
double ChestSlice::mediastinum_depth(Point point, const Visit& visit) const {
  double united = -1000;
  for (const Organ& organ : organs_) {
    const double depth = organ.outline.near_depth(point);
    visit(organ, depth);
    united = smooth_union(united, depth + 2, 7);  // organs wear a coat of fat
  }
  return united;
}

double ChestSlice::lung_depth(Point point) const {
  const double mediastinum = mediastinum_depth(point, [](const Organ&, double) {});
  return std::min(cavity_.depth(point), -mediastinum);
}

/// Chest wall from the skin inwards. Sheets of fat between the muscles follow the wall.
double ChestSlice::wall_value(Point point) const {
  const double below_skin = body_.depth(point);
  double value = mix(kAir, kSkin, coverage(below_skin, kSharpEdge));
  blend(value, kFat + 12 * chest_.grain[0].at(point), smooth_step(1.2, 2.4, below_skin));
  const double into_muscle = muscle_.depth(point);
  if (into_muscle < -kSharpEdge) return value;
  const double sheet = chest_.grain[0].at({1.1 * cavity_.depth(point), 0.12 * (point.x + point.y)});
  const double muscle = mix(kMuscle, kFat, 0.85 * smooth_step(0.25, 0.6, sheet));
  blend(value, muscle, coverage(into_muscle, 1.0));
  return value;
}

void ChestSlice::paint(Canvas& hounsfield, Canvas& lung) const {
  hounsfield.paint_all([&](std::size_t x, std::size_t y, Point point) {
    const double inside = cavity_.depth(point);
    double& value = hounsfield.at(x, y);
    value = inside > 4 ? kFat : wall_value(point);
    if (inside > -3) paint_inside(point, inside, value, lung.at(x, y));
  });
  paint_lung_structures(hounsfield, lung);
  paint_bones(hounsfield);
}

/// Mediastinum and lungs at a point `inside` mm deep in the cavity.
void ChestSlice::paint_inside(Point point, double inside, double& value, double& lung) const {
  const double fine = chest_.grain[0].at(point);
  blend(value, kFat + 15 + 20 * fine, coverage(inside, 1.5));
  const double mediastinum = mediastinum_depth(point, [&](const Organ& organ, double depth) {
    blend(value, organ.hounsfield + 6 * fine, coverage(depth, 1.0));
  });
  lung = coverage(std::min(inside, -mediastinum), kSharpEdge);
  const double gravity = chest_.gravity * point.y / chest_.half_depth;
  blend(value, chest_.parenchyma + gravity + 16 * chest_.grain[1].at(point) + 5 * fine, lung);
}

void ChestSlice::paint_lung_structures(Canvas& hounsfield, const Canvas& lung) const {
  Canvas vessels = lung.same_place(0);
  paint_slice(chest_.vessels, height_, 0.7, vessels);
  for (std::size_t i = 0; i < vessels.values().size(); ++i) {
    blend(hounsfield.values()[i], chest_.blood - 10, vessels.values()[i] * lung.values()[i]);
  }
  for (const double side : {-1.0, 1.0}) {
    const Blob fissure = ellipse({side * 66, 128 + chest_.fissure + 0.8 * height_}, {100, 118});
    hounsfield.paint_all([&](std::size_t x, std::size_t y, Point point) {
      if (point.x * side < 0 || lung.at(x, y) == 0) return;
      const double line = smooth_step(1.3, 0.2, std::abs(fissure.depth(point)));
      double& value = hounsfield.at(x, y);
      if (value < kFissure) blend(value, kFissure, line * lung.at(x, y));
    });
  }
  for (const Blob& airway : airways_) {
    hounsfield.paint_near(airway.centre, airway.reach() + 2, [&](std::size_t x, std::size_t y, Point point) {
      const double depth = airway.depth(point);
      blend(hounsfield.at(x, y), kMuscle - 20, coverage(depth + 1.5, 1.0));  // the wall
      blend(hounsfield.at(x, y), kAir, coverage(depth, 0.8));
    });
  }
}

void ChestSlice::paint_bones(Canvas& hounsfield) const {
  for (const Blob& outline : cartilages_) {
    hounsfield.paint_near(outline.centre, outline.reach() + 1,
                          [&](std::size_t x, std::size_t y, Point point) {
                            blend(hounsfield.at(x, y), kCartilage, coverage(outline.depth(point), 1.0));
                          });
  }
  // The union of all bones first: where two overlap, no cortex runs between them.
  Canvas depth = hounsfield.same_place(-10);
  for (const Stroke& stroke : bone_strokes_) {
    depth.paint_along(stroke.from, stroke.to, stroke.radius_from + 1,
                      [&](std::size_t x, std::size_t y, Point point) {
                        const Stroke::Nearest nearest = stroke.nearest(point);
                        depth.at(x, y) = std::max(depth.at(x, y), nearest.radius - nearest.distance);
                      });
  }
  for (const Blob& outline : bones_) {
    depth.paint_near(outline.centre, outline.reach() + 1, [&](std::size_t x, std::size_t y, Point point) {
      depth.at(x, y) = std::max(depth.at(x, y), outline.depth(point));
    });
  }
  hounsfield.paint_all([&](std::size_t x, std::size_t y, Point point) {
    const double inside = depth.at(x, y);
    if (inside < -kSharpEdge) return;
    const double uneven = chest_.grain[0].at(point);
    const double cortex_mm = 1.2 + 0.5 * uneven;
    const double bone = mix(kCortex + 120 * uneven, kMarrow + 60 * uneven,
                            smooth_step(cortex_mm - 0.6, cortex_mm + 0.8, inside));
    blend(hounsfield.at(x, y), bone, coverage(inside, kSharpEdge));
  });
}

}  // namespace medretrieval::imaging::phantom
