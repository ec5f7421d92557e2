// Which centroid is nearest to each of many points.
#pragma once

#include <cstddef>
#include <cstdint>
#include <medretrieval/matrix.hpp>
#include <vector>

#include "kernels/kernel_table.hpp"

namespace medretrieval::linalg {

/// Points around a mean in panels of 64, side by side as the kernels read them.
class PackedPoints {
 public:
  static constexpr std::size_t kPanel = kernels::kBlockRows;

  /// Replaces what was packed; the memory is used again.
  void pack(MatrixView points, const std::vector<float>& mean, int threads);

  std::size_t rows() const noexcept { return rows_; }
  std::size_t panels() const noexcept { return (rows_ + kPanel - 1) / kPanel; }
  /// Value d of point i of the panel at d * 64 + i.
  const float* panel(std::size_t p) const noexcept { return values_.data() + p * kPanel * depth_; }
  const float* square_norms(std::size_t p) const noexcept { return square_norms_.data() + p * kPanel; }

 private:
  std::size_t rows_ = 0;
  std::size_t depth_ = 0;
  Matrix values_;
  std::vector<float> square_norms_;
};

/// Finds the nearest of a set of centroids by squared distance in float32, the lowest number on ties. Scores
/// from sums of products preselect; where their rounding error cannot tell the nearest from the next, all
/// distances are computed.
class CentroidSearch {
 public:
  /// Around the centroids' own mean.
  /// \param centroids at least one; outlive this object
  explicit CentroidSearch(MatrixView centroids);
  /// Around a mean that the points were packed with.
  CentroidSearch(MatrixView centroids, std::vector<float> mean);

  const std::vector<float>& mean() const noexcept { return mean_; }

  /// \param points what panels `first_panel` to `first_panel + panels - 1` of `packed` hold, up to
  ///        kPanelsAtOnce of them
  /// \param assignment one number for each of `points`
  void assign(MatrixView points, const PackedPoints& packed, std::size_t first_panel, std::size_t panels,
              std::uint32_t* assignment) const;
  static constexpr std::size_t kPanelsAtOnce = 16;

 private:
  float rounding_error(float square_norm) const;
  std::uint32_t nearest_by_distance(const float* point) const;

  MatrixView centroids_;
  std::vector<float> mean_;
  Matrix around_mean_;
  std::vector<float> half_norms_;
  float furthest_ = 0;  // largest distance of a centroid from the mean
};

/// The nearest centroid of every row, as CentroidSearch finds it.
void assign_nearest(MatrixView points, MatrixView centroids, std::uint32_t* assignment, int threads);

/// Half of the inner product of every row with itself.
std::vector<float> half_square_norms(MatrixView rows);

}  // namespace medretrieval::linalg
