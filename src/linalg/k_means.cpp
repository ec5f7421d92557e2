#include "linalg/k_means.hpp"

#include <algorithm>
#include <numeric>

#include "base/concat.hpp"
#include "base/parallel_for.hpp"
#include "base/random.hpp"
#include "kernels/dispatch.hpp"
#include "linalg/k_means_seeding.hpp"
#include "linalg/orthogonal.hpp"
#include "linalg/row_sample.hpp"

namespace medretrieval::linalg {

namespace {

constexpr std::size_t kChunk = CentroidSearch::kPanelsAtOnce * PackedPoints::kPanel;
constexpr std::size_t kColumnBlock =
    32;  // columns summed together, so that the sums stay in the second cache

using Assignment = std::vector<std::uint32_t>;

/// Squared distance of every point to its centroid.
std::vector<float> distances_to_own(MatrixView points, const Matrix& centroids, const Assignment& assignment,
                                    int threads) {
  std::vector<float> distances(points.rows());
  detail::parallel_for((points.rows() + kChunk - 1) / kChunk, threads, [&](std::size_t chunk) {
    const auto& kernel = kernels::active();
    const std::size_t end = std::min(points.rows(), (chunk + 1) * kChunk);
    for (std::size_t r = chunk * kChunk; r < end; ++r) {
      kernel.l2_squared(points.row(r).data(), centroids.row(assignment[r]).data(), 0, nullptr, 1,
                        points.cols(), &distances[r]);
    }
  });
  return distances;
}

double sum_of(const std::vector<float>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

/// Points in each cluster.
std::vector<std::size_t> cluster_sizes(const Assignment& assignment, std::size_t clusters) {
  std::vector<std::size_t> sizes(clusters);
  for (const auto cluster : assignment) ++sizes[cluster];
  return sizes;
}

/// Moves every centroid to the mean of its points, added in double precision in row order.
void move_to_means(MatrixView points, const Assignment& assignment, const std::vector<std::size_t>& sizes,
                   Matrix& centroids, int threads) {
  detail::parallel_for((points.cols() + kColumnBlock - 1) / kColumnBlock, threads, [&](std::size_t block) {
    const std::size_t first = block * kColumnBlock;
    const std::size_t width = std::min(kColumnBlock, points.cols() - first);
    std::vector<double> sums(centroids.rows() * width);
    kernels::active().add_rows(points.data() + first, points.stride(), assignment.data(), points.rows(),
                               width, sums.data(), width);
    for (std::size_t c = 0; c < centroids.rows(); ++c) {
      if (sizes[c] == 0) continue;
      for (std::size_t d = 0; d < width; ++d) {
        centroids(c, first + d) = static_cast<float>(sums[c * width + d] / static_cast<double>(sizes[c]));
      }
    }
  });
}

/// Moves the empty clusters to the points furthest from their centroids, one each.
void refill_empty(MatrixView points, const std::vector<std::size_t>& sizes,
                  const std::vector<float>& distances, Matrix& centroids) {
  const auto empty = static_cast<std::size_t>(std::count(sizes.begin(), sizes.end(), std::size_t{0}));
  std::vector<std::uint32_t> furthest(points.rows());
  std::iota(furthest.begin(), furthest.end(), 0U);
  const std::size_t used = std::min(empty, furthest.size());
  std::partial_sort(furthest.begin(), furthest.begin() + static_cast<std::ptrdiff_t>(used), furthest.end(),
                    [&](std::uint32_t a, std::uint32_t b) {
                      return distances[a] != distances[b] ? distances[a] > distances[b] : a < b;
                    });
  std::size_t next = 0;
  for (std::size_t c = 0; c < centroids.rows() && next < used; ++c) {
    if (sizes[c] != 0) continue;
    if (distances[furthest[next]] <= 0) return;  // every point has a centroid of its own
    const auto point = points.row(furthest[next++]);
    std::copy(point.begin(), point.end(), centroids.row(c).begin());
  }
}

bool has_empty(const std::vector<std::size_t>& sizes) {
  return std::find(sizes.begin(), sizes.end(), std::size_t{0}) != sizes.end();
}

void assign_packed(MatrixView points, const PackedPoints& packed, const CentroidSearch& search,
                   Assignment& assignment, int threads) {
  detail::parallel_for((points.rows() + kChunk - 1) / kChunk, threads, [&](std::size_t chunk) {
    const std::size_t first = chunk * kChunk;
    const std::size_t count = std::min(kChunk, points.rows() - first);
    search.assign(points.rows_from(first, count), packed, chunk * CentroidSearch::kPanelsAtOnce,
                  (count + PackedPoints::kPanel - 1) / PackedPoints::kPanel, &assignment[first]);
  });
}

/// A copy without gaps between rows when rows are so far apart that most of every cache line would be
/// skipped.
Matrix copied_if_scattered(MatrixView points) {
  return points.stride() < 2 * points.cols() ? Matrix() : Matrix::copy_of(points);
}

/// Lloyd's iterations until the last or until no assignment changes; returns the objective at the last
/// assignment.
double iterate(MatrixView points, std::size_t iterations, Matrix& centroids, int threads) {
  const auto mean = column_means(points);
  PackedPoints packed;
  packed.pack(points, mean, threads);
  Assignment assignment(points.rows());
  Assignment previous;
  for (std::size_t iteration = 1;; ++iteration) {
    assign_packed(points, packed, CentroidSearch(centroids, mean), assignment, threads);
    const bool last = iteration >= iterations || assignment == previous;
    const auto sizes = cluster_sizes(assignment, centroids.rows());
    std::vector<float> distances;
    if (last || has_empty(sizes)) distances = distances_to_own(points, centroids, assignment, threads);
    move_to_means(points, assignment, sizes, centroids, threads);
    if (has_empty(sizes)) refill_empty(points, sizes, distances, centroids);
    if (last) return sum_of(distances);
    previous = assignment;
  }
}

}  // namespace

double k_means_step(MatrixView points, Matrix& centroids, std::vector<std::uint32_t>& assignment,
                    int threads) {
  assignment.resize(points.rows());
  assign_nearest(points, centroids, assignment.data(), threads);
  const auto distances = distances_to_own(points, centroids, assignment, threads);
  const auto sizes = cluster_sizes(assignment, centroids.rows());
  move_to_means(points, assignment, sizes, centroids, threads);
  if (has_empty(sizes)) refill_empty(points, sizes, distances, centroids);
  return sum_of(distances);
}

KMeansResult k_means(MatrixView points, const KMeansOptions& options) {
  if (options.clusters == 0 || points.rows() < options.clusters) {
    detail::fail(ErrorCode::invalid_argument, "k-means: expected at least as many points as clusters (",
                 options.clusters, "), got ", points.rows());
  }
  detail::Random random(options.seed);
  const RowSample drawn(points, options.points_per_cluster * options.clusters, random);
  const Matrix copy = copied_if_scattered(drawn.view());
  const MatrixView dense = copy.empty() ? drawn.view() : copy.view();
  KMeansResult result;
  result.centroids = first_centroids(dense, options.clusters, random);
  result.objective = iterate(dense, options.iterations, result.centroids, options.threads);
  return result;
}

}  // namespace medretrieval::linalg
