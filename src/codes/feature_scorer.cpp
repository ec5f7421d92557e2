#include "codes/feature_scorer.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "base/concat.hpp"
#include "codes/row_words.hpp"
#include "kernels/dispatch.hpp"

namespace medretrieval::detail {

/// Squared distances, or inner products.
void FeatureScorer::products(std::size_t query, const StoredFeatures& features, const std::uint32_t* rows,
                             std::size_t count, float* out) const {
  const auto& kernel = kernels::active();
  const float* vector = queries_.row(query).data();
  const bool l2 = distance_ == FeatureDistance::l2;
  switch (features.type()) {
    case FeatureType::float32: {
      const auto run = l2 ? kernel.l2_squared : kernel.inner_product;
      return run(vector, features.floats(), features.stride(), rows, count, queries_.cols(), out);
    }
    case FeatureType::float16: {
      const auto run = l2 ? kernel.l2_squared_half : kernel.inner_product_half;
      return run(vector, features.halves(), features.stride(), rows, count, queries_.cols(), out);
    }
    case FeatureType::uint8: {
      const auto run = l2 ? kernel.l2_squared_bytes : kernel.inner_product_bytes;
      return run(vector, features.bytes(), features.stride(), rows, count, queries_.cols(), out);
    }
  }
}

namespace {

/// The inner product of every row with itself.
void squares(const StoredFeatures& features, const std::uint32_t* rows, std::size_t count, float* out) {
  const auto& kernel = kernels::active();
  switch (features.type()) {
    case FeatureType::float32:
      return kernel.row_squares(features.floats(), features.stride(), rows, count, features.cols(), out);
    case FeatureType::float16:
      return kernel.row_squares_half(features.halves(), features.stride(), rows, count, features.cols(), out);
    case FeatureType::uint8:
      return kernel.row_squares_bytes(features.bytes(), features.stride(), rows, count, features.cols(), out);
  }
}

}  // namespace

void FeatureScorer::distances(std::size_t query, const StoredFeatures& features, const std::uint32_t* rows,
                              std::size_t count, float* out) const {
  products(query, features, rows, count, out);
  if (distance_ == FeatureDistance::l2) return;
  if (distance_ == FeatureDistance::inner_product) {
    for (std::size_t i = 0; i < count; ++i) out[i] = 0.0F - out[i];
    return;
  }
  float query_square = 0;
  kernels::active().row_squares(queries_.row(query).data(), 0, nullptr, 1, queries_.cols(), &query_square);
  std::vector<float> row_squares(count);
  squares(features, rows, count, row_squares.data());
  for (std::size_t i = 0; i < count; ++i) {
    const double scale = std::sqrt(static_cast<double>(query_square) * static_cast<double>(row_squares[i]));
    out[i] = scale == 0 ? 1.0F : static_cast<float>(1 - static_cast<double>(out[i]) / scale);
  }
}

void require_finite(const float* distances, std::size_t count, std::size_t segment) {
  if (std::all_of(distances, distances + count, [](float value) { return std::isfinite(value); })) return;
  fail(ErrorCode::corrupt, "segment number ", segment, ": a stored feature is not finite or too large");
}

namespace {

/// The rows of a part where they are known one by one.
std::span<const std::uint32_t> known_rows(const ScanPart& part) {
  const auto begin = std::lower_bound(part.rows.begin(), part.rows.end(), part.begin);
  return {begin, std::lower_bound(begin, part.rows.end(), part.end)};
}

class FeatureScan final : public QueryScan {
 public:
  FeatureScan(const FeatureScorer& scorer, std::size_t query) : scorer_(scorer), query_(query) {}

  void scan(const ScanPart& part, CandidatePool& pool) override {
    pool.enter(part);
    if (!part.rows.empty()) {
      const auto rows = known_rows(part);
      for (std::size_t i = 0; i < rows.size(); i += kAtOnce) {
        offer(part, rows.subspan(i, std::min(kAtOnce, rows.size() - i)), pool);
      }
      return;
    }
    std::array<std::uint32_t, kAtOnce> rows;
    std::size_t count = 0;
    detail::for_each_set(part.masks, part.begin, part.end, [&](std::uint32_t row) {
      rows[count++] = row;
      if (count < kAtOnce) return;
      offer(part, rows, pool);
      count = 0;
    });
    offer(part, std::span(rows).first(count), pool);
  }

 private:
  static constexpr std::size_t kAtOnce = 256;

  void offer(const ScanPart& part, std::span<const std::uint32_t> rows, CandidatePool& pool) {
    std::array<float, kAtOnce> distances;
    scorer_.distances(query_, part.features, rows.data(), rows.size(), distances.data());
    require_finite(distances.data(), rows.size(), part.segment);
    pool.offer(rows.data(), distances.data(), rows.size());
  }

  const FeatureScorer& scorer_;
  std::size_t query_;
};

}  // namespace

std::unique_ptr<QueryScan> FeatureScorer::begin(std::size_t query) const {
  return std::make_unique<FeatureScan>(*this, query);
}

}  // namespace medretrieval::detail
