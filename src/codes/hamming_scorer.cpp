#include "codes/hamming_scorer.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/concat.hpp"
#include "codes/scan_loop.hpp"
#include "kernels/dispatch.hpp"

namespace medretrieval::detail {

namespace {

/// The kernels' integer threshold for a pool's float one: distances are whole numbers.
std::uint32_t whole_threshold(float threshold) noexcept {
  constexpr float kMost = 1 << 24;
  return threshold >= kMost ? 1U << 24 : static_cast<std::uint32_t>(threshold);
}

}  // namespace

HammingScorer::HammingScorer(Codes queries, std::vector<std::uint32_t> weights)
    : queries_(std::move(queries)), weights_(std::move(weights)) {
  if (queries_.layout().kind() != CodeKind::binary) {
    fail(ErrorCode::incompatible, "Hamming distance needs binary codes, got ", queries_.layout().to_string());
  }
}

void HammingScorer::scan(std::size_t query, const ScanPart& part, CandidatePool& pool) const {
  require_layout(part.codes, queries_.layout());
  if (pool.threshold() < 0) return;
  const auto& kernel = kernels::active();
  const CodeLayout& layout = queries_.layout();
  std::vector<std::uint64_t> code(layout.words());
  queries_.get_row(query, reinterpret_cast<std::uint8_t*>(code.data()));
  if (layout.has_32_bit_words()) {
    scan_blocks(part, pool, [&](const kernels::BlockSpan& span, float threshold, kernels::Survivors& out) {
      return kernel.hamming32(span, static_cast<std::uint32_t>(code[0]), whole_threshold(threshold), out);
    });
  } else {
    const std::uint32_t* weights = weights_.empty() ? nullptr : weights_.data();
    scan_blocks(part, pool, [&](const kernels::BlockSpan& span, float threshold, kernels::Survivors& out) {
      return kernel.hamming(span, code.data(), weights, code.size(), whole_threshold(threshold), out);
    });
  }
}

}  // namespace medretrieval::detail
