#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/random.hpp"
#include "kernels/kernel_table.hpp"
#include "linalg/k_means.hpp"
#include "linalg/k_means_seeding.hpp"
#include "linalg/matrix_multiply.hpp"
#include "linalg/orthogonal.hpp"
#include "linalg/row_sample.hpp"
#include "support/expect_error.hpp"
#include "support/random_features.hpp"

namespace medretrieval::linalg {
namespace {

using testing::gaussian;
using testing::max_distance_from_identity;

TEST(MultiplyTransposed, EqualsTheAscendingFusedSumForAwkwardShapes) {
  const std::size_t shapes[][3] = {{1, 1, 1},     {3, 5, 7},       {12, 32, 16},
                                   {97, 33, 300}, {100, 1030, 17}, {200, 2, 513}};
  for (const auto& [m, n, k] : shapes) {
    const Matrix a = gaussian(m, k, 1);
    const Matrix b = gaussian(n, k, 2);
    const Matrix c = multiply_transposed(a, b, 1);
    for (std::size_t i = 0; i < m; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        float sum = 0;
        for (std::size_t d = 0; d < k; ++d) sum = std::fma(a(i, d), b(j, d), sum);
        ASSERT_EQ(c(i, j), sum) << m << " x " << n << " x " << k << " at " << i << ", " << j;
      }
    }
  }
}

TEST(MultiplyTransposed, IsTheSameAtAnyThreadCountAndStride) {
  const Matrix a = gaussian(500, 70, 3);
  const Matrix b = gaussian(60, 70, 4);
  const Matrix one = multiply_transposed(a, b, 1);
  for (const int threads : {2, 8}) {
    const Matrix many = multiply_transposed(a, b, threads);
    EXPECT_TRUE(std::equal(one.data(), one.data() + 500 * 60, many.data()));
  }
  const Matrix part = multiply_transposed(a.view().cols_from(10, 20), b.view().cols_from(10, 20), 1);
  const Matrix copied = multiply_transposed(Matrix::copy_of(a.view().cols_from(10, 20)),
                                            Matrix::copy_of(b.view().cols_from(10, 20)), 1);
  EXPECT_TRUE(std::equal(part.data(), part.data() + 500 * 60, copied.data()));
}

TEST(MultiplyTransposed, OfAPackedMatrixIsTheSame) {
  const Matrix a = gaussian(101, 300, 3);
  for (const std::size_t rows : {1U, 31U, 1024U, 1500U}) {
    const Matrix b = gaussian(rows, 300, 4);
    const PackedMatrix packed(b);
    EXPECT_EQ(packed.rows(), rows);
    EXPECT_EQ(packed.cols(), 300U);
    const Matrix plain = multiply_transposed(a, b, 1);
    const Matrix with_packed = multiply_transposed(a, packed, 2);
    EXPECT_TRUE(std::equal(plain.data(), plain.data() + 101 * rows, with_packed.data()));
  }
}

TEST(CrossProduct, AgreesWithDoublePrecision) {
  const Matrix a = gaussian(3000, 9, 5);
  const Matrix b = gaussian(3000, 4, 6);
  const DoubleMatrix product = cross_product(a, b, 2);
  for (std::size_t i = 0; i < 9; ++i) {
    for (std::size_t j = 0; j < 4; ++j) {
      double sum = 0;
      for (std::size_t r = 0; r < 3000; ++r)
        sum += static_cast<double>(a(r, i)) * static_cast<double>(b(r, j));
      EXPECT_NEAR(product(i, j), sum, 1e-2);
    }
  }
}

TEST(CrossProduct, OfAFactorMadePartByPartIsTheSame) {
  const Matrix a = gaussian(2500, 7, 5);
  const Matrix b = gaussian(2500, 20, 6);
  const DoubleMatrix whole = cross_product(a, b, 1);
  for (const int threads : {1, 2, 8}) {
    const DoubleMatrix parts = sum_of_cross_products(a, 20, threads, [&](std::size_t first, MatrixView rows) {
      return Matrix::copy_of(b.view().rows_from(first, rows.rows()));
    });
    EXPECT_EQ(parts.values, whole.values) << threads;
  }
}

TEST(PrincipalComponents, FindsTheAxesOfAStretchedCloud) {
  Matrix points = gaussian(4000, 5, 7);
  const float scales[] = {1, 5, 3, 0.5F, 2};
  for (std::size_t r = 0; r < points.rows(); ++r) {
    for (std::size_t c = 0; c < 5; ++c) points(r, c) = points(r, c) * scales[c] + 10;
  }
  const auto found = principal_components(points, 5, 1);
  const std::size_t order[] = {1, 2, 4, 0, 3};
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_NEAR(found.directions(i, order[i]), 1, 0.02) << i;
    EXPECT_NEAR(found.variances[i],
                static_cast<double>(scales[order[i]]) * static_cast<double>(scales[order[i]]), 1);
    EXPECT_NEAR(found.mean[i], 10, 0.4);
  }
  EXPECT_TRUE(std::is_sorted(found.variances.rbegin(), found.variances.rend()));
  EXPECT_LT(max_distance_from_identity(found.directions), 1e-5);
}

TEST(Rotations, AreOrthogonal) {
  detail::Random random(1);
  EXPECT_LT(max_distance_from_identity(random_rotation(40, random)), 1e-5);
  const Matrix x = gaussian(500, 20, 8);
  EXPECT_LT(max_distance_from_identity(nearest_orthogonal(cross_product(x, gaussian(500, 20, 9), 1))), 1e-5);
  EXPECT_LT(max_distance_from_identity(nearest_orthogonal(DoubleMatrix(3, 3))), 1e-5) << "even of zeros";
}

TEST(NearestOrthogonal, RecoversARotation) {
  detail::Random random(2);
  const Matrix rotation = random_rotation(12, random);
  const Matrix x = gaussian(300, 12, 10);
  const Matrix y = multiply_transposed(x, rotation, 1);  // rows R x
  const Matrix found = nearest_orthogonal(cross_product(y, x, 1));
  for (std::size_t i = 0; i < 12; ++i) {
    for (std::size_t j = 0; j < 12; ++j) EXPECT_NEAR(found(i, j), rotation(i, j), 1e-4);
  }
}

TEST(KMeans, ObjectiveNeverRisesAndClustersAreFound) {
  Matrix points = gaussian(1200, 6, 11);
  for (std::size_t r = 0; r < points.rows(); ++r) points(r, r % 6) += 20;
  const auto found = k_means(points, {.clusters = 6, .iterations = 30, .seed = 3, .threads = 2});
  EXPECT_LT(found.objective / 1200, 6.5) << "six separate unit clouds in six dimensions";
  Matrix centroids = found.centroids.clone();
  std::vector<std::uint32_t> assignment;
  double before = found.objective;
  for (int i = 0; i < 5; ++i) {
    const double now = k_means_step(points, centroids, assignment, 1);
    EXPECT_LE(now, before * (1 + 1e-6));
    before = now;
  }
}

TEST(KMeans, IsTheSameAtAnyThreadCount) {
  const Matrix points = gaussian(5000, 16, 12);
  const auto one = k_means(points, {.clusters = 64, .iterations = 8, .seed = 1, .threads = 1});
  for (const int threads : {2, 8}) {
    const auto many = k_means(points, {.clusters = 64, .iterations = 8, .seed = 1, .threads = threads});
    EXPECT_EQ(one.objective, many.objective);
    EXPECT_TRUE(std::equal(one.centroids.data(), one.centroids.data() + 64 * 16, many.centroids.data()));
  }
}

TEST(KMeans, MovesEmptyClustersAndSurvivesDuplicates) {
  Matrix points(40, 2);
  for (std::size_t r = 0; r < 40; ++r) points(r, 0) = r < 36 ? 0.0F : static_cast<float>(r);
  const auto found = k_means(points, {.clusters = 5, .iterations = 20, .seed = 1, .threads = 1});
  EXPECT_EQ(found.objective, 0) << "five distinct points, five clusters";
  const Matrix equal_points(10, 3);
  EXPECT_EQ(k_means(equal_points, {.clusters = 4, .iterations = 5, .seed = 1, .threads = 1}).objective, 0);
  EXPECT_ERROR(k_means(equal_points, {.clusters = 11}), invalid_argument, "(11), got 10");
}

TEST(AssignNearest, IsExactFarFromTheOriginAndAmongNearTies) {
  for (const float offset : {0.0F, 1000.0F, 30000.0F}) {
    for (const float spread : {1.0F, 1e-3F}) {
      Matrix points = testing::gaussian(500, 6, 1);
      Matrix centroids = testing::gaussian(32, 6, 2);
      for (Matrix* rows : {&points, &centroids}) {
        for (std::size_t r = 0; r < rows->rows(); ++r) {
          for (float& value : rows->row(r)) value = value * spread + offset;
        }
      }
      std::vector<std::uint32_t> found(500);
      assign_nearest(points, centroids, found.data(), 2);
      for (std::size_t r = 0; r < 500; ++r) {
        std::vector<float> distances(32);
        kernels::kScalarKernels.l2_squared(points.row(r).data(), centroids.data(), 6, nullptr, 32, 6,
                                           distances.data());
        const auto nearest = std::min_element(distances.begin(), distances.end()) - distances.begin();
        ASSERT_EQ(found[r], nearest) << "offset " << offset << ", spread " << spread << ", row " << r;
      }
    }
  }
}

/// The nearest by the scalar kernel's distance, the lowest number on ties.
std::uint32_t nearest_by_scalar(MatrixView point, const Matrix& centroids) {
  std::vector<float> distances(centroids.rows());
  kernels::kScalarKernels.l2_squared(point.data(), centroids.data(), centroids.cols(), nullptr,
                                     distances.size(), centroids.cols(), distances.data());
  return static_cast<std::uint32_t>(std::min_element(distances.begin(), distances.end()) - distances.begin());
}

TEST(AssignNearest, IsExactForManyWideCentroidsAndAnyStride) {
  for (const std::size_t width : {1U, 3U, 70U}) {
    const Matrix wide = gaussian(1100, width + 5, 3);  // more than one chunk, the last panel not full
    const MatrixView points = wide.view().cols_from(2, width);
    const Matrix centroids = gaussian(701, width, 4);  // at 70 columns more than one group of centroids
    std::vector<std::uint32_t> found(points.rows());
    assign_nearest(points, centroids, found.data(), 2);
    for (std::size_t r = 0; r < points.rows(); ++r) {
      ASSERT_EQ(found[r], nearest_by_scalar(points.rows_from(r, 1), centroids)) << width << ", row " << r;
    }
  }
}

TEST(AssignNearest, IsExactForPointsFarFromAllCentroidsAndForRepeatedCentroids) {
  Matrix points = gaussian(200, 5, 5);
  for (std::size_t r = 0; r < points.rows(); r += 2) {
    for (float& value : points.row(r)) value *= 1e6F;  // distances differ by less than their rounding
  }
  Matrix centroids = gaussian(40, 5, 6);
  for (std::size_t c = 20; c < 40; ++c) {
    std::copy(centroids.row(c - 20).begin(), centroids.row(c - 20).end(), centroids.row(c).begin());
  }
  std::vector<std::uint32_t> found(points.rows());
  assign_nearest(points, centroids, found.data(), 1);
  for (std::size_t r = 0; r < points.rows(); ++r) {
    ASSERT_EQ(found[r], nearest_by_scalar(points.view().rows_from(r, 1), centroids)) << r;
  }
}

TEST(KMeans, FirstCentroidsAreDistinctPointsSpreadOverTheClusters) {
  Matrix points = gaussian(9000, 3, 7);  // more than the sample they are drawn from
  for (std::size_t r = 0; r < points.rows(); ++r) points(r, r % 3) += 1000.0F * static_cast<float>(1 + r % 2);
  detail::Random random(8);
  const Matrix centroids = first_centroids(points, 6, random);
  std::set<int> clouds;
  for (std::size_t c = 0; c < 6; ++c) {
    const auto row = centroids.row(c);
    const auto axis = std::max_element(row.begin(), row.end()) - row.begin();
    clouds.insert(static_cast<int>(axis) * 2 + (row[static_cast<std::size_t>(axis)] > 1500));
  }
  EXPECT_EQ(clouds.size(), 6U) << "one in each of six far clouds";
}

TEST(KMeans, TrainsOnAsManyPointsAsAreAskedFor) {
  const Matrix points = gaussian(4000, 8, 9);
  KMeansOptions options = {
      .clusters = 16, .iterations = 10, .points_per_cluster = 100, .seed = 1, .threads = 1};
  const auto part = k_means(points, options);
  options.points_per_cluster = 0;
  const auto all = k_means(points, options);
  EXPECT_NEAR(part.objective / 1600, all.objective / 4000, 0.1 * all.objective / 4000);
  options.points_per_cluster = 250;
  const auto just_all = k_means(points, options);
  EXPECT_EQ(just_all.objective, all.objective);
}

TEST(RowSample, DrawsDistinctRowsOrViewsAll) {
  const Matrix rows = gaussian(100, 3, 10);
  detail::Random random(11);
  const RowSample all(rows, 0, random);
  EXPECT_EQ(all.view().data(), rows.data());
  EXPECT_EQ(RowSample(rows, 100, random).view().data(), rows.data());
  const RowSample some(rows, 30, random);
  ASSERT_EQ(some.view().rows(), 30U);
  std::size_t r = 0;  // ascending: every drawn row is found behind the one before
  for (std::size_t i = 0; i < 30; ++i, ++r) {
    while (r < 100 && some.view().row(i)[0] != rows(r, 0)) ++r;
    ASSERT_LT(r, 100U) << i;
  }
}

TEST(AssignNearest, BreaksTiesByTheLowestNumber) {
  Matrix centroids(3, 2);
  centroids(0, 0) = 5;
  centroids(1, 0) = 1;
  centroids(2, 0) = 1;
  Matrix points(1, 2);
  points(0, 0) = 1;
  std::uint32_t nearest = 9;
  assign_nearest(points, centroids, &nearest, 1);
  EXPECT_EQ(nearest, 1U);
}

}  // namespace
}  // namespace medretrieval::linalg
