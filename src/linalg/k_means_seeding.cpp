#include "linalg/k_means_seeding.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

#include "kernels/dispatch.hpp"
#include "linalg/nearest_centroids.hpp"
#include "linalg/orthogonal.hpp"
#include "linalg/row_sample.hpp"

namespace medretrieval::linalg {

namespace {

constexpr std::size_t kPanel = PackedPoints::kPanel;
constexpr std::size_t kLeastPoints = 8192;    // that centroids are drawn from, if there are so many
constexpr std::size_t kPointsPerCluster = 4;  // that are drawn from at least
constexpr float kRoundedToZero =
    4e-6F;  // a squared distance of this share of the squared norm is a rounding error

/// The squared distance of every point to the nearest of the centroids chosen so far, up to rounding.
class DistanceWeights {
 public:
  explicit DistanceWeights(MatrixView points) : points_(points), mean_(column_means(points)) {
    packed_.pack(points, mean_, 1);
    nearest_.resize(packed_.panels());
    panel_sums_.resize(packed_.panels());
    for (auto& panel : nearest_) std::fill_n(panel.least, kPanel, std::numeric_limits<float>::infinity());
  }

  void add_centroid(std::size_t point) {
    const Matrix centroid = centered(points_.rows_from(point, 1), mean_);
    const float half_norm = half_square_norms(centroid)[0];
    for (std::size_t p = 0; p < packed_.panels(); ++p) {
      kernels::active().nearest_centroids(packed_.panel(p), centroid.data(), &half_norm, 1, points_.cols(), 0,
                                          nearest_[p]);
      panel_sums_[p] = 0;
      const std::size_t count = std::min(kPanel, points_.rows() - p * kPanel);
      for (std::size_t i = 0; i < count; ++i) panel_sums_[p] += static_cast<double>(weight(p, i));
    }
  }

  /// A point drawn in proportion to its weight; any point when all weights are zero.
  std::size_t draw(detail::Random& random) const {
    const double total = std::accumulate(panel_sums_.begin(), panel_sums_.end(), 0.0);
    if (total <= 0) return random.below(points_.rows());
    double left = random.uniform() * total;
    std::size_t last = 0;
    for (std::size_t p = 0; p < panel_sums_.size(); ++p) {
      if (left >= panel_sums_[p] && p + 1 < panel_sums_.size()) {
        left -= panel_sums_[p];
        continue;
      }
      for (std::size_t i = 0; i < std::min(kPanel, points_.rows() - p * kPanel); ++i) {
        if (weight(p, i) <= 0) continue;
        last = p * kPanel + i;
        left -= static_cast<double>(weight(p, i));
        if (left < 0) return last;
      }
    }
    return last;
  }

 private:
  float weight(std::size_t panel, std::size_t i) const {
    const float square_norm = packed_.square_norms(panel)[i];
    const float distance = square_norm + 2 * nearest_[panel].least[i];
    return distance > square_norm * kRoundedToZero ? distance : 0;
  }

  MatrixView points_;
  std::vector<float> mean_;
  PackedPoints packed_;
  std::vector<kernels::Nearest> nearest_;
  std::vector<double> panel_sums_;
};

}  // namespace

Matrix first_centroids(MatrixView points, std::size_t clusters, detail::Random& random) {
  const RowSample drawn(points, std::max(kLeastPoints, clusters * kPointsPerCluster), random);
  const MatrixView sample = drawn.view();
  Matrix centroids(clusters, points.cols());
  DistanceWeights weights(sample);
  std::size_t chosen = random.below(sample.rows());
  for (std::size_t c = 0;; ++c) {
    const auto point = sample.row(chosen);
    std::copy(point.begin(), point.end(), centroids.row(c).begin());
    if (c + 1 == clusters) return centroids;
    weights.add_centroid(chosen);
    chosen = weights.draw(random);
  }
}

}  // namespace medretrieval::linalg
