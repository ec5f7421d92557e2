// Scores stored features by an exact distance: the second stage, and exact search.
#pragma once

#include <cstdint>
#include <medretrieval/scorer.hpp>
#include <span>
#include <vector>

namespace medretrieval::detail {

/// What the exact distance is. Smaller is always nearer.
enum class FeatureDistance {
  l2,             ///< squared Euclidean
  inner_product,  ///< minus the inner product
  cosine,         ///< 1 - cosine similarity; 1 when either vector is zero
};

class FeatureScorer final : public QueryScorer {
 public:
  FeatureScorer(MatrixView queries, FeatureDistance distance) : queries_(queries), distance_(distance) {}

  std::size_t size() const noexcept override { return queries_.rows(); }
  std::unique_ptr<QueryScan> begin(std::size_t query) const override;
  /// The distances of rows `rows[i]` of `features` (rows i when `rows` is null).
  void distances(std::size_t query, const StoredFeatures& features, const std::uint32_t* rows,
                 std::size_t count, float* out) const;

 private:
  void products(std::size_t query, const StoredFeatures& features, const std::uint32_t* rows,
                std::size_t count, float* out) const;

  MatrixView queries_;
  FeatureDistance distance_;
};

/// \throws Error (corrupt) when a distance is not finite, which sound features cannot give.
void require_finite(const float* distances, std::size_t count, std::size_t segment);

}  // namespace medretrieval::detail
