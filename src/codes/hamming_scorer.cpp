// Scores binary codes by Hamming distance, plain or with an integer weight for each 64-bit word.
#include <algorithm>
#include <cstring>
#include <medretrieval/scorer.hpp>

#include "base/concat.hpp"
#include "codes/scan_loop.hpp"
#include "kernels/dispatch.hpp"

namespace medretrieval {

namespace {

constexpr std::uint32_t kMostDistance = 1U << 24;

/// The kernels' integer threshold for a pool's float one: distances are whole numbers.
std::uint32_t whole_threshold(float threshold) noexcept {
  return threshold >= static_cast<float>(kMostDistance) ? kMostDistance
                                                        : static_cast<std::uint32_t>(threshold);
}

constexpr std::uint32_t kMostCounted = 4096;

class HammingScan final : public QueryScan {
 public:
  HammingScan(const Codes& queries, std::size_t query, const std::vector<std::uint32_t>& weights)
      : layout_(queries.layout()), code_(layout_.words()), weights_(weights) {
    queries.get_row(query, reinterpret_cast<std::uint8_t*>(code_.data()));
  }

  void scan(const ScanPart& part, CandidatePool& pool) override {
    detail::require_layout(part.codes, layout_);
    if (pool.threshold() < 0) return;
    if (weights_.empty() && layout_.bits() <= kMostCounted) {
      pool.count_distances(static_cast<std::uint32_t>(layout_.bits()));
    }
    const auto& kernel = kernels::active();
    const std::uint32_t* weights = weights_.empty() ? nullptr : weights_.data();
    detail::scan_blocks(
        part, pool, pace_, [&](const kernels::BlockSpan& span, float threshold, kernels::Survivors& out) {
          const std::uint32_t limit = whole_threshold(threshold);
          return layout_.has_32_bit_words()
                     ? kernel.hamming32(span, static_cast<std::uint32_t>(code_[0]), limit, out)
                     : kernel.hamming(span, code_.data(), weights, code_.size(), limit, out);
        });
  }

 private:
  CodeLayout layout_;
  detail::Pace pace_;
  std::vector<std::uint64_t> code_;
  const std::vector<std::uint32_t>& weights_;
};

class HammingScorer final : public QueryScorer {
 public:
  HammingScorer(Codes queries, std::vector<std::uint32_t> weights)
      : queries_(std::move(queries)), weights_(std::move(weights)) {}

  std::size_t size() const noexcept override { return queries_.rows(); }
  std::unique_ptr<QueryScan> begin(std::size_t query) const override {
    return std::make_unique<HammingScan>(queries_, query, weights_);
  }

 private:
  Codes queries_;
  std::vector<std::uint32_t> weights_;
};

}  // namespace

std::unique_ptr<QueryScorer> make_hamming_scorer(Codes queries, std::vector<std::uint32_t> weights) {
  const CodeLayout& layout = queries.layout();
  if (layout.kind() != CodeKind::binary) {
    detail::fail(ErrorCode::incompatible, "Hamming distance needs binary codes, got ", layout.to_string());
  }
  if (!weights.empty() && (layout.has_32_bit_words() || weights.size() != layout.words())) {
    detail::fail(ErrorCode::invalid_argument, "Hamming distance: expected a weight for each 64-bit word of ",
                 layout.to_string(), ", got ", weights.size());
  }
  std::uint64_t furthest = 0;
  for (const auto weight : weights) furthest += std::uint64_t{weight} * 64;
  if (furthest >= kMostDistance) {
    detail::fail(ErrorCode::invalid_argument, "Hamming distance: the largest distance must stay below ",
                 kMostDistance, ", the weights allow ", furthest);
  }
  return std::make_unique<HammingScorer>(std::move(queries), std::move(weights));
}

}  // namespace medretrieval
