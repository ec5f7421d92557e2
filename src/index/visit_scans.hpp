// The scans of visits to inverted lists.
#pragma once

#include <cstddef>
#include <cstdint>
#include <medretrieval/index.hpp>
#include <memory>
#include <span>

namespace medretrieval::index {

/// A list that a query of a group visits.
struct Visit {
  std::uint32_t list = 0;
  std::uint32_t member = 0;  ///< of the group
};

/// Codes of residuals need, for each visit, lookup tables of the query minus the centroid: they are made for a few visits at
/// a time. Other codes share the tables of the query.
class VisitScans {
 public:
  /// Everything outlives this.
  /// \param scorer of the queries; null: the codes are those of residuals
  /// \param queries of the whole batch
  VisitScans(const Encoder& encoder, const CoarseQuantizer& lists, const QueryScorer* scorer,
             MatrixView queries, std::span<const IndexQuery> members, std::span<const Visit> visits)
      : encoder_(encoder),
        centroids_(lists.centroids()),
        scorer_(scorer),
        queries_(queries),
        members_(members),
        visits_(visits) {}

  /// Offers the rows of the list that the query may look at.
  /// \param visit its number, ascending from call to call
  void scan(std::size_t visit, CandidatePool& pool);

 private:
  /// Of the visit. Visits of one query in a row go on with the same scan where the codes allow it.
  QueryScan& scan_of(std::size_t visit);
  void make_scorers(std::size_t first);

  const Encoder& encoder_;
  MatrixView centroids_;
  const QueryScorer* scorer_;
  MatrixView queries_;
  std::span<const IndexQuery> members_;
  std::span<const Visit> visits_;
  std::unique_ptr<QueryScorer> residuals_;  // of a few visits from `first_` on
  std::size_t first_ = 0;
  std::unique_ptr<QueryScan> scan_;
  std::uint32_t member_ = 0;  // whose scan it is
};

}  // namespace medretrieval::index
