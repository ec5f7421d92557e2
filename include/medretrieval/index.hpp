/// \file
/// Indexes: how the pool is found among the codes.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include <medretrieval/scorer.hpp>

namespace medretrieval {

/// How a lone query is divided.
struct Sharding {
  std::size_t shards = 1;  ///< parts scanned apart and then merged; at least 1
  int threads = 1;         ///< that work on them; at least 1
};

/// One query of a group.
struct IndexQuery {
  std::size_t query = 0;            ///< its number in the scorer
  std::span<const ScanPart> parts;  ///< the rows it may look at, by (segment, row); each row at most once
  PoolLimit limit = {};
};

/// Finds candidates among the rows of a snapshot. The extension point for structures whose cost grows more
/// slowly than the gallery; the flat scan looks at every row. Immutable and thread-safe.
class Index {
 public:
  virtual ~Index() = default;
  virtual std::string_view name() const noexcept = 0;
  /// The candidates of one query within its limit, by (distance, id). Never depends on the sharding.
  virtual std::vector<Candidate> find(const QueryScorer& scorer, const IndexQuery& query,
                                      const Sharding& sharding) const = 0;
  /// The same for a group of queries in one thread, which may share work.
  virtual std::vector<std::vector<Candidate>> find_group(const QueryScorer& scorer,
                                                         std::span<const IndexQuery> queries) const = 0;
};

/// Scans every row: exact with respect to the scorer's distance.
const Index& flat_index() noexcept;

}  // namespace medretrieval
