/// \file
/// Indexes: how the pool is found among the codes.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include <medretrieval/scorer.hpp>

namespace medretrieval {

/// How the rows of one query are divided.
struct Sharding {
  std::size_t shards = 1;  ///< parts scanned apart and then merged; at least 1
  int threads = 1;         ///< that work on them; at least 1
};

/// Finds candidates among the rows of a snapshot. The extension point for structures whose cost grows more
/// slowly than the gallery; the flat scan looks at every row. Immutable and thread-safe.
class Index {
 public:
  virtual ~Index() = default;
  virtual std::string_view name() const noexcept = 0;
  /// The candidates within the limit, by (distance, id). Never depends on the sharding.
  /// \param parts the rows that the query may look at; each row at most once
  virtual std::vector<Candidate> find(const QueryScorer& scorer, std::size_t query,
                                      std::span<const ScanPart> parts, const PoolLimit& limit,
                                      const Sharding& sharding) const = 0;
};

/// Scans every row: exact with respect to the scorer's distance.
const Index& flat_index() noexcept;

}  // namespace medretrieval
