#include "index/visit_scans.hpp"

#include <algorithm>

#include "index/list_rows.hpp"

namespace medretrieval::index {

namespace {
constexpr std::size_t kScoredAtOnce = 64;  // visits whose lookup tables are in memory
}

void VisitScans::scan(std::size_t visit, CandidatePool& pool) {
  QueryScan& scan = scan_of(visit);
  const Visit& at = visits_[visit];
  for_each_piece(members_[at.member].parts, at.list, [&](const ScanPart& piece) { scan.scan(piece, pool); });
}

QueryScan& VisitScans::scan_of(std::size_t visit) {
  const std::uint32_t member = visits_[visit].member;
  if (scorer_ != nullptr) {
    if (scan_ == nullptr || member != member_) scan_ = scorer_->begin(members_[member].query);
  } else {
    scan_.reset();  // before the scorer that it belongs to goes
    if (residuals_ == nullptr || visit >= first_ + residuals_->size()) make_scorers(visit);
    scan_ = residuals_->begin(visit - first_);
  }
  member_ = member;
  return *scan_;
}

void VisitScans::make_scorers(std::size_t first) {
  Matrix rows(std::min(kScoredAtOnce, visits_.size() - first), queries_.cols());
  for (std::size_t v = 0; v < rows.rows(); ++v) {
    const Visit& visit = visits_[first + v];
    const auto query = queries_.row(members_[visit.member].query);
    const auto centroid = centroids_.row(visit.list);
    const auto row = rows.row(v);
    for (std::size_t d = 0; d < row.size(); ++d) row[d] = query[d] - centroid[d];
  }
  residuals_ = encoder_.scorer(rows);
  first_ = first;
}

}  // namespace medretrieval::index
