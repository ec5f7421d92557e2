// Scores product codes by asymmetric distance: the sum of one lookup-table entry for each subspace
// (Jégou, Douze, Schmid 2011, equation 13).
#pragma once

#include <medretrieval/scorer.hpp>

namespace medretrieval::detail {

class AdcScorer final : public QueryScorer {
 public:
  /// \param layout a product layout
  /// \param tables one row a query: subspaces * 2^bits entries, the subspaces one after the other
  AdcScorer(const CodeLayout& layout, Matrix tables);

  std::size_t size() const noexcept override { return tables_.rows(); }
  void scan(std::size_t query, const ScanPart& part, CandidatePool& pool) const override;

 private:
  CodeLayout layout_;
  Matrix tables_;
};

}  // namespace medretrieval::detail
