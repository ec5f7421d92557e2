#include "linalg/k_means.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>

#include "base/concat.hpp"
#include "base/parallel_for.hpp"
#include "base/random.hpp"
#include "kernels/dispatch.hpp"
#include "linalg/matrix_multiply.hpp"
#include "linalg/orthogonal.hpp"

namespace medretrieval::linalg {

namespace {

constexpr std::size_t kChunk = 1024;  // rows handled at a time; fixed, so that sums do not depend on threads
constexpr std::size_t kSeedingRows = 32;  // points for each cluster that the first centroids are drawn from

std::vector<float> half_square_norms(MatrixView rows) {
  const auto& kernel = kernels::active();
  std::vector<float> norms(rows.rows());
  for (std::size_t r = 0; r < rows.rows(); ++r) {
    const float* row = rows.row(r).data();
    kernel.inner_product(row, row, 0, nullptr, 1, rows.cols(), &norms[r]);
    norms[r] *= 0.5F;
  }
  return norms;
}

/// Squared distance of every point to its centroid.
std::vector<float> distances_to_own(MatrixView points, const Matrix& centroids,
                                    const std::vector<std::uint32_t>& assignment, int threads) {
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

/// Point numbers grouped by cluster, ascending within each; group c is members[starts[c]] to members[starts[c
/// + 1]].
struct Groups {
  std::vector<std::size_t> starts;
  std::vector<std::uint32_t> members;
};

Groups group_by(const std::vector<std::uint32_t>& assignment, std::size_t clusters) {
  Groups groups;
  groups.starts.assign(clusters + 1, 0);
  for (const auto cluster : assignment) ++groups.starts[cluster + 1];
  std::partial_sum(groups.starts.begin(), groups.starts.end(), groups.starts.begin());
  groups.members.resize(assignment.size());
  auto next = groups.starts;
  for (std::size_t r = 0; r < assignment.size(); ++r) {
    groups.members[next[assignment[r]]++] = static_cast<std::uint32_t>(r);
  }
  return groups;
}

/// Moves every empty cluster to the point furthest from its centroid; a point serves once.
void refill_empty(MatrixView points, const Groups& groups, std::vector<float>& distances, Matrix& centroids) {
  for (std::size_t c = 0; c < centroids.rows(); ++c) {
    if (groups.starts[c] != groups.starts[c + 1]) continue;
    const auto furthest = std::max_element(distances.begin(), distances.end()) - distances.begin();
    if (distances[static_cast<std::size_t>(furthest)] <= 0) return;  // every point has a centroid of its own
    const auto point = points.row(static_cast<std::size_t>(furthest));
    std::copy(point.begin(), point.end(), centroids.row(c).begin());
    distances[static_cast<std::size_t>(furthest)] = 0;
  }
}

/// `count` rows drawn without replacement, or all.
Matrix sample(MatrixView points, std::size_t count, detail::Random& random) {
  const auto rows = detail::sample_without_replacement(points.rows(), count, random);
  Matrix chosen(rows.size(), points.cols());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto point = points.row(rows[i]);
    std::copy(point.begin(), point.end(), chosen.row(i).begin());
  }
  return chosen;
}

/// An index drawn with probability proportional to its weight; any index when all weights are zero.
std::size_t draw_in_proportion(const std::vector<float>& weights, detail::Random& random) {
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  if (total <= 0) return random.below(weights.size());
  double left = random.uniform() * total;
  std::size_t last = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] <= 0) continue;
    last = i;
    left -= static_cast<double>(weights[i]);
    if (left < 0) return i;
  }
  return last;
}

/// k-means++ (Arthur and Vassilvitskii 2007): each centroid is a point drawn in proportion to its squared
/// distance from the centroids before it.
Matrix first_centroids(MatrixView all_points, const KMeansOptions& options) {
  detail::Random random(options.seed);
  const Matrix points = sample(all_points, options.clusters * kSeedingRows, random);
  Matrix centroids(options.clusters, points.cols());
  std::vector<float> nearest(points.rows(), std::numeric_limits<float>::max());
  std::size_t chosen = random.below(points.rows());
  for (std::size_t c = 0;; ++c) {
    const auto point = points.row(chosen);
    std::copy(point.begin(), point.end(), centroids.row(c).begin());
    if (c + 1 == options.clusters) return centroids;
    detail::parallel_for((points.rows() + kChunk - 1) / kChunk, options.threads, [&](std::size_t chunk) {
      std::array<float, kChunk> distances;
      const std::size_t first = chunk * kChunk;
      const std::size_t count = std::min(kChunk, points.rows() - first);
      kernels::active().l2_squared(point.data(), points.row(first).data(), points.cols(), nullptr, count,
                                   points.cols(), distances.data());
      for (std::size_t i = 0; i < count; ++i) nearest[first + i] = std::min(nearest[first + i], distances[i]);
    });
    chosen = draw_in_proportion(nearest, random);
  }
}

}  // namespace

namespace {

/// Centroids around their mean, so that products of data far from the origin do not cancel.
class CentredCentroids {
 public:
  explicit CentredCentroids(MatrixView centroids)
      : centroids_(centroids), mean_(column_means(centroids)), packed_(centred(centroids)) {
    const Matrix around_mean = centred(centroids);
    half_norms_ = half_square_norms(around_mean);
    furthest_ = std::sqrt(2 * *std::max_element(half_norms_.begin(), half_norms_.end()));
  }

  void assign(MatrixView points, std::uint32_t* assignment) const {
    const Matrix around_mean = centred(points);
    const auto norms = half_square_norms(around_mean);
    const Matrix products = multiply_transposed(around_mean, packed_, 1);
    std::vector<float> scores(centroids_.rows());
    for (std::size_t r = 0; r < points.rows(); ++r) {
      for (std::size_t c = 0; c < scores.size(); ++c) scores[c] = half_norms_[c] - products(r, c);
      const auto best = std::min_element(scores.begin(), scores.end());
      const float limit = *best + 2 * rounding_error(std::sqrt(2 * norms[r]));
      const auto near = std::count_if(scores.begin(), scores.end(), [&](float s) { return s <= limit; });
      assignment[r] = near == 1 ? static_cast<std::uint32_t>(best - scores.begin())
                                : nearest_of(points.row(r), scores, limit);
    }
  }

 private:
  Matrix centred(MatrixView rows) const {
    Matrix result(rows.rows(), rows.cols());
    for (std::size_t r = 0; r < rows.rows(); ++r) {
      const auto row = rows.row(r);
      for (std::size_t d = 0; d < rows.cols(); ++d) result(r, d) = row[d] - mean_[d];
    }
    return result;
  }

  /// A bound on the error of a score: every product and sum of float32 is off by at most 2^-24 of itself.
  float rounding_error(float norm) const {
    const auto steps = static_cast<float>(centroids_.cols() + 8);
    return steps * 0x1p-24F * furthest_ * (norm + furthest_);
  }

  /// The nearest by exact distance of the centroids whose score is within the limit.
  std::uint32_t nearest_of(std::span<const float> point, const std::vector<float>& scores,
                           float limit) const {
    std::uint32_t nearest = 0;
    float least = std::numeric_limits<float>::infinity();
    for (std::size_t c = 0; c < scores.size(); ++c) {
      if (scores[c] > limit) continue;
      float distance = 0;
      kernels::active().l2_squared(point.data(), centroids_.row(c).data(), 0, nullptr, 1, point.size(),
                                   &distance);
      if (distance >= least) continue;
      least = distance;
      nearest = static_cast<std::uint32_t>(c);
    }
    return nearest;
  }

  MatrixView centroids_;
  std::vector<float> mean_;
  PackedMatrix packed_;
  std::vector<float> half_norms_;
  float furthest_ = 0;
};

}  // namespace

void assign_nearest(MatrixView points, MatrixView centroids, std::uint32_t* assignment, int threads) {
  const CentredCentroids centred(centroids);
  detail::parallel_for((points.rows() + kChunk - 1) / kChunk, threads, [&](std::size_t chunk) {
    const std::size_t first = chunk * kChunk;
    centred.assign(points.rows_from(first, std::min(kChunk, points.rows() - first)), assignment + first);
  });
}

double k_means_step(MatrixView points, Matrix& centroids, std::vector<std::uint32_t>& assignment,
                    int threads) {
  assignment.resize(points.rows());
  assign_nearest(points, centroids, assignment.data(), threads);
  auto distances = distances_to_own(points, centroids, assignment, threads);
  const double objective = std::accumulate(distances.begin(), distances.end(), 0.0);
  const Groups groups = group_by(assignment, centroids.rows());
  detail::parallel_for(centroids.rows(), threads, [&](std::size_t c) {
    const std::size_t begin = groups.starts[c];
    const std::size_t end = groups.starts[c + 1];
    if (begin == end) return;
    std::vector<double> sum(points.cols());
    for (std::size_t i = begin; i < end; ++i) {
      const auto point = points.row(groups.members[i]);
      for (std::size_t d = 0; d < point.size(); ++d) sum[d] += static_cast<double>(point[d]);
    }
    auto centroid = centroids.row(c);
    for (std::size_t d = 0; d < centroid.size(); ++d) {
      centroid[d] = static_cast<float>(sum[d] / static_cast<double>(end - begin));
    }
  });
  refill_empty(points, groups, distances, centroids);
  return objective;
}

KMeansResult k_means(MatrixView points, const KMeansOptions& options) {
  if (options.clusters == 0 || points.rows() < options.clusters) {
    detail::fail(ErrorCode::invalid_argument, "k-means: expected at least as many points as clusters (",
                 options.clusters, "), got ", points.rows());
  }
  KMeansResult result;
  result.centroids = first_centroids(points, options);
  std::vector<std::uint32_t> assignment;
  std::vector<std::uint32_t> previous;
  for (std::size_t iteration = 0; iteration < options.iterations; ++iteration) {
    result.objective = k_means_step(points, result.centroids, assignment, options.threads);
    if (assignment == previous) break;
    previous = assignment;
  }
  return result;
}

}  // namespace medretrieval::linalg
