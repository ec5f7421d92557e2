#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "imaging/phantom_canvas.hpp"
#include "imaging/phantom_vessels.hpp"

namespace medretrieval::imaging::phantom {
namespace {

TEST(PhantomGeometry, UnitVectorIsCosineAndSine) {
  for (int i = -4000; i <= 4000; ++i) {
    const double turns = i / 997.0;
    const Point vector = unit_vector(turns);
    EXPECT_NEAR(vector.x, std::cos(2 * std::numbers::pi * turns), 1e-13);
    EXPECT_NEAR(vector.y, std::sin(2 * std::numbers::pi * turns), 1e-13);
  }
}

TEST(PhantomGeometry, PseudoAngleGrowsWithTheAngle) {
  double before = -1;
  for (int i = 0; i < 1000; ++i) {
    const double angle = pseudo_angle(unit_vector(i / 1000.0));
    EXPECT_GT(angle, before);
    EXPECT_LT(angle, 4);
    before = angle;
  }
}

TEST(PhantomGeometry, DepthIsTheDistanceToACircle) {
  const Blob circle = ellipse({3, -2}, {10, 10});
  for (const double radius : {0.5, 4.0, 9.0, 10.0, 14.0, 300.0}) {
    const Point point = circle.centre + radius * unit_vector(0.3);
    EXPECT_NEAR(circle.depth(point), 10 - radius, 1e-9);
    if (radius < 30) {
      EXPECT_EQ(circle.near_depth(point), circle.depth(point));
    } else {
      EXPECT_LE(circle.near_depth(point), -25);
    }
  }
  EXPECT_EQ(circle.depth(circle.centre), 10);
}

TEST(PhantomGeometry, DepthIsZeroOnAnUnevenOutline) {
  Blob blob = ellipse({1, 2}, {20, 11}, unit_vector(0.1));
  blob.harmonics = 4;
  blob.cosine[2] = 0.1;
  blob.sine[3] = -0.07;
  for (int i = 0; i < 50; ++i) {
    const double turns = i / 50.0;
    const double outline = 1 + 0.1 * unit_vector(3 * turns).x - 0.07 * unit_vector(4 * turns).y;
    const Point unit = outline * unit_vector(turns);
    const Point point = blob.centre + rotate({20 * unit.x, 11 * unit.y}, blob.turn);
    EXPECT_NEAR(blob.depth(point), 0, 1e-9);
    EXPECT_LE(length(point - blob.centre), blob.reach());
  }
}

TEST(PhantomCanvas, PixelsAndPositionsAreInverse) {
  const Canvas canvas(100, {.centre = {12, -7}, .field_mm = 50, .turn = unit_vector(0.07)}, 0);
  EXPECT_DOUBLE_EQ(canvas.spacing(), 0.5);
  for (const std::size_t x : {0U, 13U, 99U}) {
    const Point pixel = canvas.to_pixel(canvas.position(x, 42));
    EXPECT_NEAR(pixel.x, static_cast<double>(x), 1e-9);
    EXPECT_NEAR(pixel.y, 42, 1e-9);
  }
}

TEST(PhantomCanvas, PaintNearMissesNothingWithinReach) {
  const Canvas canvas(64, {.centre = {0, 0}, .field_mm = 64, .turn = unit_vector(0.11)}, 0);
  Canvas painted = canvas;
  const Point centre{20, -9};
  painted.paint_near(centre, 14, [&](std::size_t x, std::size_t y, Point) { painted.at(x, y) += 1; });
  canvas.paint_all([&](std::size_t x, std::size_t y, Point point) {
    EXPECT_LE(painted.at(x, y), 1);
    if (length(point - centre) <= 14) {
      EXPECT_EQ(painted.at(x, y), 1);
    }
  });
  EXPECT_EQ(painted.at(0, 63), 0);
  painted.paint_near({500, 500}, 14, [](std::size_t, std::size_t, Point) { FAIL() << "outside"; });
}

TEST(PhantomCanvas, NoiseHasItsDeviationAndGrain) {
  detail::Random random(1);
  Canvas canvas(128, {.centre = {0, 0}, .field_mm = 64}, 100);
  add_noise(canvas, 20, 0.6, random);
  double sum = 0;
  double square = 0;
  double neighbours = 0;
  for (std::size_t y = 0; y < 128; ++y) {
    for (std::size_t x = 0; x + 1 < 128; ++x) {
      const double value = canvas.at(x, y) - 100;
      sum += value;
      square += value * value;
      neighbours += value * (canvas.at(x + 1, y) - 100);
    }
  }
  const double count = 128 * 127;
  EXPECT_NEAR(sum / count, 0, 1.5);
  EXPECT_NEAR(std::sqrt(square / count), 20, 0.5);
  EXPECT_GT(neighbours / square, 0.5);  // neighbours are alike
}

TEST(PhantomCanvas, BlurKeepsTheSumAndSpreadsAPoint) {
  Canvas canvas(32, {.centre = {0, 0}, .field_mm = 32}, 0);
  canvas.at(16, 16) = 1;
  blur(canvas, 1.0);
  double sum = 0;
  double spread = 0;
  canvas.paint_all([&](std::size_t x, std::size_t y, Point) {
    sum += canvas.at(x, y);
    spread += canvas.at(x, y) * (static_cast<double>(x) - 16) * (static_cast<double>(x) - 16);
  });
  EXPECT_NEAR(sum, 1, 1e-12);
  EXPECT_NEAR(spread, 1, 1e-12);  // the variance asked for, 1 mm being 1 pixel
}

TEST(PhantomCanvas, UnevennessIsBoundedAndSmooth) {
  detail::Random random(2);
  const Unevenness uneven(random, 4);
  double lowest = 1;
  double highest = -1;
  for (int i = -3000; i < 3000; ++i) {
    const Point point{0.05 * i, -0.03 * i + 7};
    const double value = uneven.at(point);
    lowest = std::min(lowest, value);
    highest = std::max(highest, value);
    EXPECT_NEAR(uneven.at(point + Point{0.01, 0.01}), value, 0.02);
    EXPECT_NEAR(uneven.at(point + Point{128, 0}), value, 1e-9);  // repeats after 32 cells
  }
  EXPECT_GE(lowest, -1);
  EXPECT_LE(highest, 1);
  EXPECT_GT(highest - lowest, 1);
}

TEST(PhantomVessels, TreeEndsInItsLeavesAndThins) {
  const VesselTree tree{.root = {{0, 0}, 0},
                        .centre = {{50, 10}, 5},
                        .half_axes = {{40, 60}, 30},
                        .leaves = 200,
                        .leaf_radius = 0.5};
  detail::Random random(4);
  const std::vector<Vessel> vessels = grow_vessels(tree, random);
  EXPECT_EQ(vessels.size(), 2 * tree.leaves - 1);
  std::size_t ends = 0;
  for (const Vessel& vessel : vessels) {
    EXPECT_GE(vessel.radius_from, vessel.radius_to);
    EXPECT_LE(vessel.radius_from, vessels.front().radius_from);
    if (vessel.radius_from > tree.leaf_radius) continue;
    ++ends;
    const Point unit{(vessel.to.plane.x - 50) / 40, (vessel.to.plane.y - 10) / 60};
    const double height = (vessel.to.height - 5) / 30;
    EXPECT_LE(dot(unit, unit) + height * height, 1 + 1e-9);
  }
  EXPECT_EQ(ends, tree.leaves);
}

TEST(PhantomVessels, SliceCutsWhatItMeets) {
  const std::vector<Vessel> vessels = {{{{-10, 0}, -10}, {{10, 0}, 10}, 2, 2}};
  const Canvas empty(41, {.centre = {0, 0}, .field_mm = 41}, 0);
  Canvas cover = empty;
  paint_slice(vessels, 5, 0.5, cover);
  EXPECT_EQ(cover.at(25, 20), 1);  // the axis is at height 5 where x is 5
  EXPECT_EQ(cover.at(10, 20), 0);
  Canvas above = empty;
  paint_slice(vessels, 30, 0.5, above);
  for (const double value : above.values()) EXPECT_EQ(value, 0);
  Canvas path = empty;
  paint_projection(vessels, path);
  EXPECT_DOUBLE_EQ(path.at(20, 20), 4);
  EXPECT_EQ(path.at(20, 30), 0);
}

}  // namespace
}  // namespace medretrieval::imaging::phantom
