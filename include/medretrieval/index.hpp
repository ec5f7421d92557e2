/// \file
/// Indexes: how the pool is found among the codes.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include <medretrieval/coarse_quantizer.hpp>
#include <medretrieval/encoder.hpp>
#include <medretrieval/scorer.hpp>

namespace medretrieval {

/// How a lone query is divided.
struct Sharding {
  std::size_t shards = 1;  ///< parts scanned apart and then merged; at least 1
  int threads = 1;         ///< that work on them; at least 1

  /// The same in one thread, where the work is too little for more: shards that are there for the threads are not needed.
  Sharding for_one_thread() const noexcept {
    return {shards <= static_cast<std::size_t>(threads) ? 1 : shards, 1};
  }
};

/// One query and the rows that it may look at.
struct IndexQuery {
  std::size_t query = 0;            ///< its number in the batch
  std::span<const ScanPart> parts;  ///< by (segment, row); each row at most once
  PoolLimit limit = {};
  std::size_t eligible = 0;  ///< rows of the parts that count
};

/// A batch of queries at work on an index. The extension point for structures whose cost grows more slowly than the
/// gallery. Immutable and thread-safe; refers to what it was made from.
class IndexSearch {
 public:
  virtual ~IndexSearch() = default;
  /// Queries that gain from being found as one group: they share what was read.
  virtual std::size_t group_size() const noexcept = 0;
  /// The candidates of one query within its limit, in any order. Which they are never depends on the sharding.
  virtual std::vector<Candidate> find(const IndexQuery& query, const Sharding& sharding) const = 0;
  /// The same for a group of queries in one thread.
  virtual std::vector<std::vector<Candidate>> find_group(std::span<const IndexQuery> queries) const = 0;
};

/// Looks at every row: exact with respect to the scorer's distance.
/// \param scorer outlives the search
std::unique_ptr<IndexSearch> make_flat_search(const QueryScorer& scorer);

/// How inverted lists are searched.
struct ListSearch {
  std::size_t probes = 0;  ///< lists that a query visits, the nearest first; 0: all
  bool residuals = false;  ///< the codes are those of the items minus their list's centroid
};

/// Visits the lists of the nearest centroids. A list without rows that the query may look at does not count, and while
/// the lists visited hold fewer rows than the limit's count, further ones are visited: so a filter never hides answers
/// that there are.
/// The parts of its queries need ScanPart::lists. \throws Error (incompatible) without them, from find().
/// \param queries one row each, checked; it, the encoder and the quantizer outlive the search
std::unique_ptr<IndexSearch> make_list_search(const Encoder& encoder, const CoarseQuantizer& lists,
                                              MatrixView queries, const ListSearch& options);

}  // namespace medretrieval
