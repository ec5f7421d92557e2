// Scores binary codes by Hamming distance, plain or with an integer weight for each 64-bit word.
#pragma once

#include <cstdint>
#include <medretrieval/scorer.hpp>
#include <vector>

namespace medretrieval::detail {

class HammingScorer final : public QueryScorer {
 public:
  /// \param queries binary codes
  /// \param weights one for each 64-bit word, or empty; the largest possible distance must stay below 2^24 so
  /// that it
  ///        is exact in float32
  explicit HammingScorer(Codes queries, std::vector<std::uint32_t> weights = {});

  std::size_t size() const noexcept override { return queries_.rows(); }
  void scan(std::size_t query, const ScanPart& part, CandidatePool& pool) const override;

 private:
  Codes queries_;
  std::vector<std::uint32_t> weights_;
};

}  // namespace medretrieval::detail
