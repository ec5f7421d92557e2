/// \file
/// The two-stage hierarchical search: class gate, filters, pool by code distance, exact re-ranking.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <medretrieval/class_gate.hpp>
#include <medretrieval/filter.hpp>
#include <medretrieval/gallery.hpp>
#include <medretrieval/item_id.hpp>
#include <medretrieval/matrix.hpp>
#include <medretrieval/progress.hpp>

namespace medretrieval {

/// How the pool is ordered in the second stage.
enum class Rerank {
  none,           ///< by code distance, as the pool was found (papers 000, 003, 004)
  l2,             ///< squared Euclidean distance of the features (paper 001)
  inner_product,  ///< minus the inner product of the features
  cosine,  ///< 1 - cosine similarity of the features; 1 when the squared length of either is 0 in float32
};

/// What counts as one answer.
enum class GroupBy {
  image,    ///< every item
  study,    ///< the best item of every study; items of unknown study stand alone
  patient,  ///< the best item of every patient; items of unknown patient stand alone
};

namespace detail {
struct EligibleRows;
}

/// A filter worked out for one snapshot, for use by many searches; see Searcher::prepare(). Immutable, cheap to copy,
/// thread-safe.
class PreparedFilter {
 public:
  /// How many items meet it.
  std::size_t items() const noexcept;

 private:
  friend class Searcher;
  std::shared_ptr<const detail::EligibleRows> rows_;
};

/// How to search.
struct SearchOptions {
  std::size_t k = 10;           ///< answers wanted, 1 to the number of items in the gallery
  std::size_t pool_factor = 2;  ///< the pool holds pool_factor * k candidates; 1 to 1,000,000
  /// Inverted lists that a query visits, the nearest first; 0: all of them. More where the lists visited hold fewer
  /// eligible items than the pool. Needs a model with lists. Snapshot::tuned_search() has a number that fits, where the
  /// gallery was tuned.
  std::size_t probes = 0;
  Rerank rerank = Rerank::l2;
  /// Skip the pool: compute the exact distance of every eligible item. Needs a rerank other than none.
  bool exact = false;
  GateOptions gate = {};
  /// When fewer than k items are eligible, let the gate admit further classes, the most probable first, until
  /// there are enough or no class is left.
  bool widen_gate = false;
  Filter filter = {};
  std::optional<PreparedFilter> prepared_filter =
      {};                           ///< instead of `filter`, of a searcher of the same snapshot
  bool exclude_own_patient = true;  ///< leave out the query's own patient, when it is known
  GroupBy group_by = GroupBy::image;
  int threads = 0;  ///< 0: all
  std::size_t shards =
      0;  ///< parts that a lone query's rows are scanned in; 0: as many as threads. Never changes results
  Progress progress = {};  ///< counts queries

  /// \throws Error (invalid_argument).
  void validate() const;
};

/// How to search by radius.
struct RangeOptions {
  float radius = 0;  ///< largest distance of a hit, included; finite
  /// The distance that the radius limits: none is the code distance, the others are exact over all eligible
  /// items.
  Rerank distance = Rerank::l2;
  GateOptions gate = {};
  Filter filter = {};
  std::optional<PreparedFilter> prepared_filter = {};  ///< instead of `filter`
  bool exclude_own_patient = true;
  int threads = 0;
  std::size_t shards = 0;
  Progress progress = {};

  /// \throws Error (invalid_argument).
  void validate() const;
};

/// What is known of one query besides its features.
struct QueryContext {
  std::string patient = {};           ///< empty: unknown
  std::optional<ItemId> self = {};    ///< the item that the query itself is; never returned
  std::vector<float> posterior = {};  ///< of every class, from a network; empty: the model's gate computes it
};

/// One answer.
struct Hit {
  ItemId id = 0;
  float distance =
      0;  ///< by which hits are ordered: the re-ranking distance, or the code distance without one
  /// By which the pool was found; equal to `distance` without re-ranking, NaN in exact search.
  float code_distance = 0;
};

/// The answer to one query.
struct SearchResult {
  std::vector<Hit> hits;                  ///< by (distance, id); at most k
  std::vector<ClassId> classes_searched;  ///< the most probable first; empty when the gate was off
  std::size_t eligible = 0;               ///< items that gate and filters admitted
  std::size_t pool_size = 0;              ///< candidates that were re-ranked
  std::size_t shortfall = 0;  ///< how many of the k answers are missing because no more are eligible
  bool gate_widened = false;  ///< the gate admitted classes beyond its own choice
};

/// Searches one snapshot. Cheap to make, const and thread-safe.
///
/// Hits are ordered by (distance, id). Ids and distances are the same at any number of threads, shards and
/// segments, for a query alone or in a batch, and on every instruction set.
class Searcher {
 public:
  explicit Searcher(Snapshot snapshot);

  const Snapshot& snapshot() const noexcept { return snapshot_; }

  /// Works a filter out once. A search by a filter that is not prepared looks at one bit of every item first.
  /// \throws Error not_found (an unknown label or column), invalid_argument (a reversed range), corrupt.
  PreparedFilter prepare(const Filter& filter) const;

  /// Answers a batch: parallel over queries, or over shards when there are fewer queries than threads.
  /// \param contexts one a query, or empty
  /// \throws Error invalid_argument (features, options, contexts; k above the number of items; a gate the
  ///        model does not have), not_found (an unknown label or column in the filter), incompatible (a filter prepared for
  ///        another snapshot), corrupt, cancelled.
  std::vector<SearchResult> search(MatrixView queries, const SearchOptions& options = {},
                                   std::span<const QueryContext> contexts = {}) const;
  /// Answers one query.
  SearchResult search(std::span<const float> query, const SearchOptions& options = {},
                      const QueryContext& context = {}) const;

  /// Everything within a radius. SearchResult::shortfall is 0 and pool_size the number of hits.
  std::vector<SearchResult> range_search(MatrixView queries, const RangeOptions& options,
                                         std::span<const QueryContext> contexts = {}) const;

 private:
  std::shared_ptr<const detail::EligibleRows> eligible_rows(
      const Filter& filter, const std::optional<PreparedFilter>& prepared) const;

  Snapshot snapshot_;
  std::shared_ptr<const detail::EligibleRows> all_rows_;  // of a search without a filter
};

}  // namespace medretrieval
