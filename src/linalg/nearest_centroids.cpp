#include "linalg/nearest_centroids.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/parallel_for.hpp"
#include "kernels/dispatch.hpp"
#include "linalg/orthogonal.hpp"

namespace medretrieval::linalg {

namespace {

constexpr std::size_t kPanel = PackedPoints::kPanel;
constexpr std::size_t kCentroidBytes = 128 * 1024;  // centroids that stay in the second cache meanwhile
constexpr std::size_t kChunk = CentroidSearch::kPanelsAtOnce * kPanel;

/// Whether the second least score of every point lies further than `distance` above the least.
bool all_apart(const kernels::Nearest& nearest, float distance) {
  unsigned near = 0;
  for (std::size_t i = 0; i < kPanel; ++i)
    near |= static_cast<unsigned>(!(nearest.second[i] - nearest.least[i] > distance));
  return near == 0;
}

}  // namespace

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

void PackedPoints::pack(MatrixView points, const std::vector<float>& mean, int threads) {
  rows_ = points.rows();
  depth_ = points.cols();
  if (values_.rows() * values_.cols() < panels() * kPanel * depth_)
    values_ = Matrix(panels(), kPanel * depth_);
  square_norms_.resize(panels() * kPanel);
  constexpr std::size_t kPanels = CentroidSearch::kPanelsAtOnce;
  detail::parallel_for((panels() + kPanels - 1) / kPanels, threads, [&](std::size_t chunk) {
    const std::size_t end = std::min(panels(), (chunk + 1) * kPanels);
    for (std::size_t p = chunk * kPanels; p < end; ++p) {
      kernels::active().pack_points(points.row(p * kPanel).data(), points.stride(),
                                    std::min(kPanel, rows_ - p * kPanel), mean.data(), depth_,
                                    values_.data() + p * kPanel * depth_, square_norms_.data() + p * kPanel);
    }
  });
}

CentroidSearch::CentroidSearch(MatrixView centroids) : CentroidSearch(centroids, column_means(centroids)) {}

CentroidSearch::CentroidSearch(MatrixView centroids, std::vector<float> mean)
    : centroids_(centroids),
      mean_(std::move(mean)),
      around_mean_(centered(centroids, mean_)),
      half_norms_(half_square_norms(around_mean_)),
      furthest_(std::sqrt(2 * *std::max_element(half_norms_.begin(), half_norms_.end()))) {}

/// A bound on how far a score and half a distance of float32 may lie from their real values (up to the same
/// term for every centroid). With u = 2^-24, D columns, f = furthest_ and n the point's norm: the products
/// are off by (D + 2) u n f, the half norms and the sum that begins with them by (D / 2 + D / 16 + 6) u f^2,
/// half a distance by (D / 32 + 4) u (n + f)^2. The smallest normal number covers underflow.
float CentroidSearch::rounding_error(float square_norm) const {
  const auto columns = static_cast<float>(centroids_.cols());
  const float norm = std::sqrt(square_norm) * 1.0001F;
  const float score = (columns + 8) * furthest_ * (norm + furthest_);
  const float distance = (columns / 32 + 5) * (norm + furthest_) * (norm + furthest_);
  return 0x1.01p-24F * (score + distance) + std::numeric_limits<float>::min();
}

std::uint32_t CentroidSearch::nearest_by_distance(const float* point) const {
  std::vector<float> distances(centroids_.rows());
  kernels::active().l2_squared(point, centroids_.data(), centroids_.stride(), nullptr, distances.size(),
                               centroids_.cols(), distances.data());
  return static_cast<std::uint32_t>(std::min_element(distances.begin(), distances.end()) - distances.begin());
}

void CentroidSearch::assign(MatrixView points, const PackedPoints& packed, std::size_t first_panel,
                            std::size_t panels, std::uint32_t* assignment) const {
  const auto& kernel = kernels::active();
  const std::size_t depth = centroids_.cols();
  const std::size_t at_once = std::max<std::size_t>(kCentroidBytes / sizeof(float) / depth / 4 * 4, 4);
  std::array<kernels::Nearest, kPanelsAtOnce> nearest;
  for (auto& panel : nearest) {
    std::fill(std::begin(panel.least), std::end(panel.least), std::numeric_limits<float>::infinity());
    std::fill(std::begin(panel.second), std::end(panel.second), std::numeric_limits<float>::infinity());
    std::fill(std::begin(panel.number), std::end(panel.number), 0U);
  }
  for (std::size_t first = 0; first < centroids_.rows(); first += at_once) {
    const std::size_t count = std::min(at_once, centroids_.rows() - first);
    for (std::size_t p = 0; p < panels; ++p) {
      kernel.nearest_centroids(packed.panel(first_panel + p), around_mean_.row(first).data(),
                               &half_norms_[first], count, depth, static_cast<std::uint32_t>(first),
                               nearest[p]);
    }
  }
  for (std::size_t p = 0; p < panels; ++p) {
    const std::size_t first = p * kPanel;
    const std::size_t count = std::min(kPanel, points.rows() - first);
    const float* square_norms = packed.square_norms(first_panel + p);
    std::copy_n(nearest[p].number, count, assignment + first);
    if (all_apart(nearest[p], 2 * rounding_error(*std::max_element(square_norms, square_norms + kPanel))))
      continue;
    for (std::size_t i = 0; i < count; ++i) {
      if (nearest[p].second[i] - nearest[p].least[i] > 2 * rounding_error(square_norms[i])) continue;
      assignment[first + i] = nearest_by_distance(points.row(first + i).data());
    }
  }
}

void assign_nearest(MatrixView points, MatrixView centroids, std::uint32_t* assignment, int threads) {
  const CentroidSearch search(centroids);
  detail::parallel_for((points.rows() + kChunk - 1) / kChunk, threads, [&](std::size_t chunk) {
    const std::size_t first = chunk * kChunk;
    const MatrixView part = points.rows_from(first, std::min(kChunk, points.rows() - first));
    PackedPoints packed;
    packed.pack(part, search.mean(), 1);
    search.assign(part, packed, 0, packed.panels(), assignment + first);
  });
}

}  // namespace medretrieval::linalg
