#include "codes/adc_scorer.hpp"

#include "base/concat.hpp"
#include "codes/scan_loop.hpp"
#include "kernels/dispatch.hpp"

namespace medretrieval::detail {

AdcScorer::AdcScorer(const CodeLayout& layout, Matrix tables) : layout_(layout), tables_(std::move(tables)) {
  const std::size_t entries = layout.subspaces() << layout.bits_per_entry();
  if (layout.kind() != CodeKind::product || tables_.cols() != entries) {
    fail(ErrorCode::incompatible, "asymmetric distance over ", layout.to_string(), " needs tables of ",
         entries, " entries, got ", tables_.cols());
  }
}

void AdcScorer::scan(std::size_t query, const ScanPart& part, CandidatePool& pool) const {
  require_layout(part.codes, layout_);
  const auto& kernel = kernels::active();
  const auto scan = layout_.bits_per_entry() == 8 ? kernel.adc8 : kernel.adc4;
  const float* tables = tables_.row(query).data();
  const std::size_t subspaces = layout_.subspaces();
  scan_blocks(part, pool, [&](const kernels::BlockSpan& span, float threshold, kernels::Survivors& out) {
    return scan(span, tables, subspaces, threshold, out);
  });
}

}  // namespace medretrieval::detail
