// Scores product codes by asymmetric distance.
#include <medretrieval/scorer.hpp>

#include "base/concat.hpp"
#include "codes/scan_loop.hpp"
#include "kernels/dispatch.hpp"

namespace medretrieval {

namespace {

class AdcScorer final : public QueryScorer {
 public:
  AdcScorer(const CodeLayout& layout, Matrix tables) : layout_(layout), tables_(std::move(tables)) {}

  std::size_t size() const noexcept override { return tables_.rows(); }

  void scan(std::size_t query, const ScanPart& part, CandidatePool& pool) const override {
    detail::require_layout(part.codes, layout_);
    const auto& kernel = kernels::active();
    const auto scan = layout_.bits_per_entry() == 8 ? kernel.adc8 : kernel.adc4;
    const float* tables = tables_.row(query).data();
    const std::size_t subspaces = layout_.subspaces();
    detail::scan_blocks(part, pool,
                        [&](const kernels::BlockSpan& span, float threshold, kernels::Survivors& out) {
                          return scan(span, tables, subspaces, threshold, out);
                        });
  }

 private:
  CodeLayout layout_;
  Matrix tables_;
};

}  // namespace

std::unique_ptr<QueryScorer> make_adc_scorer(const CodeLayout& layout, Matrix tables) {
  const std::size_t entries = layout.subspaces() << layout.bits_per_entry();
  if (layout.kind() != CodeKind::product || tables.cols() != entries) {
    detail::fail(ErrorCode::incompatible, "asymmetric distance over ", layout.to_string(),
                 " needs tables of ", entries, " entries, got ", tables.cols());
  }
  return std::make_unique<AdcScorer>(layout, std::move(tables));
}

}  // namespace medretrieval
