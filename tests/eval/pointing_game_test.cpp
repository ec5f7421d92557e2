#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <medretrieval/eval/pointing_game.hpp>

#include "base/random.hpp"
#include "support/expect_error.hpp"

namespace medretrieval::eval {
namespace {

Matrix matrix_of(std::size_t rows, std::size_t cols, const std::vector<float>& values) {
  Matrix matrix(rows, cols);
  std::copy(values.begin(), values.end(), matrix.data());
  return matrix;
}

Matrix random_matrix(std::size_t rows, std::size_t cols, detail::Random& random) {
  Matrix matrix(rows, cols);
  for (std::size_t i = 0; i < rows * cols; ++i) matrix.data()[i] = static_cast<float>(random.uniform());
  return matrix;
}

/// One pixel of an image.
Region pixel(std::size_t width, std::size_t height, std::size_t x, std::size_t y) {
  const Box box{static_cast<double>(x), static_cast<double>(y), 1, 1};
  return Region::of_boxes(width, height, std::span(&box, 1));
}

Region column(std::size_t width, std::size_t height, std::size_t x) {
  const Box box{static_cast<double>(x), 0, 1, static_cast<double>(height)};
  return Region::of_boxes(width, height, std::span(&box, 1));
}

/// A value between two places from the definition: middles of pixels, the edge's value outside.
double value_between(MatrixView map, double x, double y) {
  const auto at = [&](double column, double row) {
    const auto last_column = static_cast<double>(map.cols() - 1);
    const auto last_row = static_cast<double>(map.rows() - 1);
    return static_cast<double>(map.row(static_cast<std::size_t>(
        std::clamp(row, 0.0, last_row)))[static_cast<std::size_t>(std::clamp(column, 0.0, last_column))]);
  };
  const double left = std::floor(x);
  const double top = std::floor(y);
  const double right_share = x - left;
  const double lower_share = y - top;
  return (1 - lower_share) * ((1 - right_share) * at(left, top) + right_share * at(left + 1, top)) +
         lower_share * ((1 - right_share) * at(left, top + 1) + right_share * at(left + 1, top + 1));
}

TEST(PointingGame, LooksAtTheMaximumOfTheScaledMap) {
  detail::Random random(3);
  for (int round = 0; round < 60; ++round) {
    const Matrix map = random_matrix(1 + random.below(5), 1 + random.below(5), random);
    const std::size_t width = 3 + random.below(30);
    const std::size_t height = 3 + random.below(30);
    double best = -1;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> maxima;
    for (std::size_t y = 0; y < height; ++y) {
      for (std::size_t x = 0; x < width; ++x) {
        const auto place = [](std::size_t pixel, std::size_t places, std::size_t pixels) {
          return (static_cast<double>(pixel) + 0.5) * static_cast<double>(places) /
                     static_cast<double>(pixels) -
                 0.5;
        };
        const double value = value_between(map, place(x, map.cols(), width), place(y, map.rows(), height));
        if (value > best + 1e-9) maxima.clear();
        if (value > best + 1e-9) best = value;
        if (std::abs(value - best) <= 1e-9) maxima.emplace_back(x, y);
      }
    }
    const double share = 1.0 / static_cast<double>(maxima.size());
    for (const auto& [x, y] : maxima) EXPECT_EQ(point(map, pixel(width, height, x, y)).hit, share) << round;
    const std::pair other{random.below(width), random.below(height)};
    if (std::find(maxima.begin(), maxima.end(), other) != maxima.end()) continue;
    EXPECT_EQ(point(map, pixel(width, height, other.first, other.second)).hit, 0) << round;
  }
}

TEST(PointingGame, TiesCountByTheirShare) {
  // The corner place is at its height from its middle, between pixels 1 and 2, to the corner: pixels 0 and 1.
  const Matrix corner = matrix_of(2, 2, {1, 0, 0, 0});
  for (const std::size_t x : {0U, 1U}) {
    for (const std::size_t y : {0U, 1U}) EXPECT_EQ(point(corner, pixel(8, 8, x, y)).hit, 0.25);
  }
  EXPECT_EQ(point(corner, pixel(8, 8, 2, 0)).hit, 0);
  // The middle of three places lies between two pixels, as near to one as to the other.
  const Matrix ridge = matrix_of(1, 3, {0.1F, 0.7F, 0.1F});
  EXPECT_EQ(point(ridge, column(6, 4, 2)).hit, 0.5);
  EXPECT_EQ(point(ridge, column(6, 4, 3)).hit, 0.5);
  EXPECT_EQ(point(ridge, pixel(6, 4, 3, 0)).hit, 0.125);
  EXPECT_EQ(point(ridge, column(6, 4, 1)).hit, 0);
  // The same where nothing divides anything, and values are no round numbers.
  const Matrix odd = matrix_of(1, 3, {0.123F, 0.456F, 0.123F});
  EXPECT_EQ(point(odd, column(14, 1, 6)).hit, 0.5);
  EXPECT_EQ(point(odd, column(14, 1, 7)).hit, 0.5);
}

TEST(PointingGame, AFlatMapGetsWhatChanceGets) {
  const Box box{2, 1, 3, 2};
  const Region region = Region::of_boxes(10, 6, std::span(&box, 1));
  for (const std::size_t tolerance : {0U, 1U, 3U}) {
    const Pointing flat = point(matrix_of(2, 3, std::vector<float>(6, 0.37F)), region, tolerance);
    EXPECT_EQ(flat.hit, flat.chance);
  }
  EXPECT_EQ(point(matrix_of(1, 1, {5}), region).chance, 0.1);
  EXPECT_EQ(point(matrix_of(1, 1, {0}), region, 100).hit, 1);
}

TEST(PointingGame, NegativeMapsHaveAMaximumToo) {
  EXPECT_EQ(point(matrix_of(1, 2, {-3, -2}), column(2, 1, 1)).hit, 1);
  EXPECT_EQ(point(matrix_of(1, 2, {-3, -2}), column(2, 1, 0)).hit, 0);
}

TEST(PointingGame, TheMiddleIsOnePixelOrTheMeanOfThoseAroundIt) {
  const Matrix map = matrix_of(1, 1, {1});
  EXPECT_EQ(point(map, pixel(5, 5, 2, 2)).middle, 1);
  EXPECT_EQ(point(map, pixel(4, 4, 1, 2)).middle, 0.25);
  EXPECT_EQ(point(map, pixel(4, 5, 2, 2)).middle, 0.5);
  EXPECT_EQ(point(map, pixel(4, 4, 0, 2)).middle, 0);
  EXPECT_EQ(point(map, pixel(5, 5, 0, 2), 1).middle, 0);
  EXPECT_EQ(point(map, pixel(5, 5, 0, 2), 2).middle, 1);
}

TEST(PointingRegion, GrowsByTheDistanceOfMiddles) {
  detail::Random random(11);
  for (int round = 0; round < 30; ++round) {
    const std::size_t width = 1 + random.below(20);
    const std::size_t height = 1 + random.below(20);
    Matrix mask(height, width);
    for (std::size_t i = 0; i < width * height; ++i) mask.data()[i] = random.uniform() < 0.04 ? 1.0F : 0.0F;
    const std::size_t reach = random.below(7);
    const Region region = Region::of_mask(mask);
    const Region grown = region.grown(reach);
    for (std::size_t y = 0; y < height; ++y) {
      for (std::size_t x = 0; x < width; ++x) {
        bool near = false;
        for (std::size_t v = 0; v < height; ++v) {
          for (std::size_t u = 0; u < width; ++u) {
            const auto across = static_cast<double>(u) - static_cast<double>(x);
            const auto along = static_cast<double>(v) - static_cast<double>(y);
            near |= region.contains(u, v) &&
                    across * across + along * along <= static_cast<double>(reach * reach);
          }
        }
        ASSERT_EQ(grown.contains(x, y), near) << round << ": " << x << ", " << y << ", reach " << reach;
      }
    }
  }
}

TEST(PointingRegion, OfBoxesHasThePixelsWhoseMiddlesAreInThem) {
  const Box box{1.5, 0.6, 2, 1};
  const Region region = Region::of_boxes(6, 4, std::span(&box, 1));
  EXPECT_EQ(region.area(), 2U);
  EXPECT_TRUE(region.contains(1, 1)) << "a middle on the left edge is inside";
  EXPECT_TRUE(region.contains(2, 1));
  EXPECT_FALSE(region.contains(3, 1)) << "one on the right edge is not";
  const std::vector<Box> small = {{2.6, 1.6, 0.2, 0.3}, {0, 0, 0.1, 0.1}, {5.9, 3.9, 0.1, 0.1}};
  const Region points = Region::of_boxes(6, 4, small);
  EXPECT_EQ(points.area(), 3U) << "no box is lost";
  EXPECT_TRUE(points.contains(2, 1));
  EXPECT_TRUE(points.contains(0, 0));
  EXPECT_TRUE(points.contains(5, 3));
  const std::vector<Box> both = {{0, 0, 2, 2}, {1, 1, 2, 2}};
  EXPECT_EQ(Region::of_boxes(6, 4, both).area(), 7U) << "what two boxes share counts once";
  EXPECT_EQ(Region::of_boxes(6, 4, {}).area(), 0U);
}

TEST(PointingRegion, OfAMaskHasItsBrightHalf) {
  const Region region = Region::of_mask(matrix_of(2, 3, {0, 0.49F, 0.5F, 1, 0, 200}));
  EXPECT_EQ(region.width(), 3U);
  EXPECT_EQ(region.height(), 2U);
  EXPECT_EQ(region.area(), 3U);
  EXPECT_TRUE(region.contains(2, 0));
  EXPECT_FALSE(region.contains(1, 0));
}

TEST(PointingRegion, RefusesWhatIsNone) {
  const auto with = [](Box box) { return Region::of_boxes(10, 5, std::span(&box, 1)); };
  EXPECT_ERROR(with({8, 0, 3, 1}), invalid_argument, "a box inside 10 x 5 pixels, got left 8");
  EXPECT_ERROR(with({0, 0, 1, 6}), invalid_argument, "height 6");
  EXPECT_ERROR(with({-1, 0, 2, 1}), invalid_argument, "left -1");
  EXPECT_ERROR(with({0, 0, 0, 1}), invalid_argument, "width 0");
  EXPECT_ERROR(with({0, std::nan(""), 1, 1}), invalid_argument, "nan");
  EXPECT_ERROR(with({0, 0, std::numeric_limits<double>::infinity(), 1}), invalid_argument, "inf");
  EXPECT_ERROR(Region::of_boxes(0, 5, {}), invalid_argument, "0 x 5");
  EXPECT_ERROR(Region::of_boxes(40'000, 40'000, {}), limit_exceeded, "40000");
  EXPECT_ERROR(Region::of_mask(Matrix()), invalid_argument, "0 x 0");
  EXPECT_ERROR(Region::of_mask(matrix_of(1, 1, {std::nanf("")})), invalid_argument, "finite");
  EXPECT_ERROR(pixel(4, 4, 1, 1).grown(40'000), invalid_argument, "got 40000");
}

TEST(PointingGame, RefusesMapsAndRegionsWithoutASense) {
  const Region region = pixel(4, 4, 1, 1);
  EXPECT_ERROR(point(Matrix(), region), invalid_argument, "got none");
  EXPECT_ERROR(point(matrix_of(1, 2, {0, std::nanf("")}), region), invalid_argument, "finite");
  EXPECT_ERROR(point(matrix_of(1, 1, {std::numeric_limits<float>::infinity()}), region), invalid_argument,
               "inf");
  EXPECT_ERROR(point(matrix_of(1, 1, {1}), Region::of_boxes(4, 4, {})), invalid_argument, "empty");
}

TEST(PointingScore, IsAMeanBesideItsBaselines) {
  const std::vector<Pointing> images = {{1, 0.1, 0}, {0, 0.3, 1}, {0.5, 0.2, 0}, {1, 0.2, 0}};
  const std::vector<std::string> patients = {"a", "a", "b", ""};
  const PointingScore score = pointing_score(images, patients);
  EXPECT_EQ(score.images, 4U);
  EXPECT_NEAR(score.score.value, 0.625, 1e-12);
  EXPECT_NEAR(score.chance, 0.2, 1e-12);
  EXPECT_NEAR(score.middle, 0.25, 1e-12);
  EXPECT_NEAR(score.above_chance.value, 0.425, 1e-12);
  EXPECT_NEAR(score.above_middle.value, 0.375, 1e-12);
  EXPECT_NEAR(score.score.interval.low, 0.5, 1e-12) << "patients a and b have 0.5 each";
  EXPECT_NEAR(score.score.interval.high, 1, 1e-12) << "the one alone has 1";
}

TEST(PointingScore, DrawsWholePatients) {
  const std::vector<Pointing> images = {{1, 0, 0}, {0, 0, 0}, {1, 0, 0}, {0, 0, 0}};
  const std::vector<std::string> one(4, "a");
  EXPECT_EQ(pointing_score(images, one).score.interval.low, 0.5);
  EXPECT_EQ(pointing_score(images, one).score.interval.high, 0.5);
  const std::vector<std::string> unknown(4, "");
  EXPECT_LT(pointing_score(images, unknown).score.interval.low, 0.3);
}

TEST(PointingScore, NeedsImagesWithPatients) {
  EXPECT_ERROR(pointing_score({}, {}), invalid_argument, "0 images");
  const std::vector<Pointing> images(2);
  const std::vector<std::string> patients(1);
  EXPECT_ERROR(pointing_score(images, patients), invalid_argument, "2 images and 1 patients");
}

}  // namespace
}  // namespace medretrieval::eval
