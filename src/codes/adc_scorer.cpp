// Scores product codes by asymmetric distance.
#include <algorithm>
#include <array>
#include <medretrieval/scorer.hpp>

#include "base/concat.hpp"
#include "codes/quantized_tables.hpp"
#include "codes/scan_loop.hpp"
#include "kernels/dispatch.hpp"

namespace medretrieval {

namespace {

constexpr std::size_t kFirstBlocks = 4;  // scanned in float before a threshold is looked for
// Scanning a block in float costs as much as scoring one row in so many by itself.
constexpr std::size_t kFloatShare4 = 16;
constexpr std::size_t kFloatShare8 = 2;

/// While many rows stay it scans in float. Then quantized tables leave out what cannot be near enough, and the rows
/// they do not leave out are scored in float: the result is that of the float scan.
class AdcScan final : public QueryScan {
 public:
  AdcScan(const CodeLayout& layout, const float* tables)
      : layout_(layout), tables_(tables), kernel_(kernels::active()) {
    const bool wide = layout.bits_per_entry() == 8;
    scan_ = wide ? kernel_.adc8 : kernel_.adc4;
    rows_ = wide ? kernel_.adc8_rows : kernel_.adc4_rows;
    share_ = wide ? kFloatShare8 : kFloatShare4;
  }

  void scan(const ScanPart& part, CandidatePool& pool) override {
    detail::require_layout(part.codes, layout_);
    detail::scan_blocks(
        part, pool, pace_, [&](const kernels::BlockSpan& span, float threshold, kernels::Survivors& out) {
          if (!pool.is_selective(share_) || !quantized_.update(threshold)) {
            kernels::BlockSpan first = span;
            if (quantized_.scan() != nullptr) first.count = std::min(span.count, kFirstBlocks);
            return scan_(first, tables_, layout_.subspaces(), threshold, out);
          }
          const std::size_t done =
              quantized_.scan()(span, quantized_.entries(), layout_.subspaces(), quantized_.limit(), out);
          score(part.codes, threshold, out);
          return done;
        });
  }

 private:
  /// Float distances for the rows that a quantized scan left, ascending: blocks of which many are left as a whole, where
  /// those above the threshold fall out, the others row by row.
  void score(const CodesView& codes, float threshold, kernels::Survivors& out) const {
    const std::size_t many = kernels::kBlockRows / share_;
    std::array<std::uint32_t, kernels::kBlockRows> rows;  // kernels write past the rows they keep
    std::array<float, kernels::kBlockRows> distances;
    std::size_t kept = 0;
    std::size_t begin = 0;
    while (begin < out.count) {
      const std::uint32_t block = static_cast<std::uint32_t>(out.rows[begin] / kernels::kBlockRows);
      std::uint64_t mask = 0;
      std::size_t end = begin;
      for (; end < out.count && out.rows[end] / kernels::kBlockRows == block; ++end) {
        mask |= std::uint64_t{1} << out.rows[end] % kernels::kBlockRows;
      }
      kernels::Survivors here = {rows.data(), distances.data(), rows.size(), 0};
      if (end - begin >= many) {
        scan_({codes.block(block), 1, &mask, block * static_cast<std::uint32_t>(kernels::kBlockRows)},
              tables_, layout_.subspaces(), threshold, here);
      } else {
        here.count = end - begin;
        std::copy(out.rows + begin, out.rows + end, here.rows);
        rows_(codes.blocks(), tables_, layout_.subspaces(), here.rows, here.count, here.distances);
      }
      std::copy_n(here.rows, here.count, out.rows + kept);
      std::copy_n(here.distances, here.count, out.distances + kept);
      kept += here.count;
      begin = end;
    }
    out.count = kept;
  }

  CodeLayout layout_;
  detail::Pace pace_;
  const float* tables_;
  const kernels::KernelTable& kernel_;
  kernels::AdcScan scan_;
  kernels::AdcRows rows_;
  std::size_t share_;
  detail::QuantizedTables quantized_{layout_, tables_, kernel_};
};

class AdcScorer final : public QueryScorer {
 public:
  AdcScorer(const CodeLayout& layout, Matrix tables) : layout_(layout), tables_(std::move(tables)) {}

  std::size_t size() const noexcept override { return tables_.rows(); }
  std::unique_ptr<QueryScan> begin(std::size_t query) const override {
    return std::make_unique<AdcScan>(layout_, tables_.row(query).data());
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
