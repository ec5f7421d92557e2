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

/// Calls visit(row) for the rows that count, a word of the masks at a time.
template <class Visit>
void for_each_row(const ScanPart& part, const Visit& visit) {
  for (std::size_t word = part.begin / 64; word * 64 < part.end; ++word) {
    std::uint64_t bits = bits_between(word, part.begin, part.end);
    if (part.masks != nullptr) bits &= part.masks[word];
    for (; bits != 0; bits &= bits - 1) visit(static_cast<std::uint32_t>(word * 64 + std::countr_zero(bits)));
  }
}

class FeatureScan final : public QueryScan {
 public:
  FeatureScan(const FeatureScorer& scorer, std::size_t query) : scorer_(scorer), query_(query) {}

  void scan(const ScanPart& part, CandidatePool& pool) override {
    pool.enter(part);
    count_ = 0;
    for_each_row(part, [&](std::uint32_t row) {
      rows_[count_++] = row;
      if (count_ == rows_.size()) flush(part, pool);
    });
    flush(part, pool);
  }

 private:
  void flush(const ScanPart& part, CandidatePool& pool) {
    scorer_.distances(query_, part.features, rows_.data(), count_, distances_.data());
    require_finite(distances_.data(), count_, part.segment);
    pool.offer(rows_.data(), distances_.data(), count_);
    count_ = 0;
  }

  const FeatureScorer& scorer_;
  std::size_t query_;
  std::array<std::uint32_t, 256> rows_ = {};
  std::array<float, 256> distances_ = {};
  std::size_t count_ = 0;
};

}  // namespace

std::unique_ptr<QueryScan> FeatureScorer::begin(std::size_t query) const {
  return std::make_unique<FeatureScan>(*this, query);
}

}  // namespace medretrieval::detail
