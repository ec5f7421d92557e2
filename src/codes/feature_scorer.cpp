#include "codes/feature_scorer.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/concat.hpp"
#include "kernels/dispatch.hpp"

namespace medretrieval::detail {

void FeatureScorer::distances(std::size_t query, MatrixView features, const std::uint32_t* rows,
                              std::size_t count, float* out) const {
  const auto& kernel = kernels::active();
  const float* vector = queries_.row(query).data();
  const std::size_t dimension = queries_.cols();
  const auto run = distance_ == FeatureDistance::l2 ? kernel.l2_squared : kernel.inner_product;
  run(vector, features.data(), features.stride(), rows, count, dimension, out);
  if (distance_ == FeatureDistance::l2) return;
  if (distance_ == FeatureDistance::inner_product) {
    for (std::size_t i = 0; i < count; ++i) out[i] = 0.0F - out[i];
    return;
  }
  float query_square = 0;
  kernel.inner_product(vector, vector, 0, nullptr, 1, dimension, &query_square);
  for (std::size_t i = 0; i < count; ++i) {
    const float* row = features.row(rows == nullptr ? i : rows[i]).data();
    float row_square = 0;
    kernel.inner_product(row, row, 0, nullptr, 1, dimension, &row_square);
    const double scale = std::sqrt(static_cast<double>(query_square) * static_cast<double>(row_square));
    out[i] = scale == 0 ? 1.0F : static_cast<float>(1 - static_cast<double>(out[i]) / scale);
  }
}

void require_finite(const float* distances, std::size_t count, std::size_t segment) {
  if (std::all_of(distances, distances + count, [](float value) { return std::isfinite(value); })) return;
  fail(ErrorCode::corrupt, "segment number ", segment, ": a stored feature is not finite or too large");
}

void FeatureScorer::scan(std::size_t query, const ScanPart& part, CandidatePool& pool) const {
  std::array<std::uint32_t, 256> rows;
  std::array<float, 256> found;
  pool.enter(part);
  std::size_t count = 0;
  const auto flush = [&] {
    distances(query, part.features, rows.data(), count, found.data());
    require_finite(found.data(), count, part.segment);
    pool.offer(rows.data(), found.data(), count);
    count = 0;
  };
  for (std::uint32_t row = part.begin; row < part.end; ++row) {
    if (part.masks != nullptr && (part.masks[row / 64] >> row % 64 & 1) == 0) continue;
    rows[count++] = row;
    if (count == rows.size()) flush();
  }
  flush();
}

}  // namespace medretrieval::detail
