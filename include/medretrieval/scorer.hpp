/// \file
/// Scoring and selection in one pass: a scorer offers rows to a pool, which keeps the nearest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include <medretrieval/codes.hpp>
#include <medretrieval/item_id.hpp>
#include <medretrieval/stored_features.hpp>

namespace medretrieval {

/// A row that may become a hit. Candidates are ordered by (distance, id), so no two are equal.
struct Candidate {
  ItemId id = 0;
  float distance = 0;
  std::uint32_t segment = 0;
  std::uint32_t row = 0;  ///< within the segment

  friend bool operator<(const Candidate& a, const Candidate& b) noexcept {
    return a.distance != b.distance ? a.distance < b.distance : a.id < b.id;
  }
};

/// Consecutive rows.
struct RowRange {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;  ///< one past the last row
};

/// Where the rows of each inverted list lie in a segment.
struct ListRows {
  std::vector<std::uint32_t> starts;  ///< one a list and one more: into `ranges`
  std::vector<RowRange> ranges;       ///< list by list, ascending within each

  std::span<const RowRange> of(std::uint32_t list) const noexcept {
    return std::span(ranges).subspan(starts[list], starts[list + 1] - starts[list]);
  }
};

/// Consecutive rows of one segment that a query may look at.
struct ScanPart {
  CodesView codes;                       ///< of the whole segment
  StoredFeatures features;               ///< of the whole segment; empty when the segment stores none
  std::span<const ItemId> ids;           ///< of the whole segment
  std::uint32_t segment = 0;             ///< written into the candidates
  std::uint32_t begin = 0;               ///< first row
  std::uint32_t end = 0;                 ///< one past the last row
  const std::uint64_t* masks = nullptr;  ///< one word for each block of 64 rows of the segment, bit r for row
                                         ///< r of the block; only set rows count. Null: every row counts
  std::span<const std::uint32_t> excluded = {};  ///< a few further rows that do not count, ascending
  const ListRows* lists = nullptr;               ///< of the whole segment; null without inverted lists
  /// Where few rows of the segment count: those that the masks mark, ascending, none left out from `begin` to `end`;
  /// else empty.
  std::span<const std::uint32_t> rows = {};
};

/// How many candidates stay, and how far away.
struct PoolLimit {
  std::size_t count = kNoCount;                           ///< at most so many
  float radius = std::numeric_limits<float>::infinity();  ///< none above this distance

  static constexpr std::size_t kNoCount = ~std::size_t{0};
};

/// Keeps the best candidates of those offered. Not thread-safe; one for each thread, then merge().
class CandidatePool {
 public:
  /// Keeps the smallest by (distance, id) that the limit allows.
  explicit CandidatePool(PoolLimit limit) { reset(limit); }

  /// Empties the pool for other offers and keeps its memory.
  void reset(PoolLimit limit);
  /// The ids and number of the segment whose rows are offered next. The ids must stay until take().
  void enter(const ScanPart& part);
  /// Says that all distances are whole numbers of at most `furthest`: the pool then counts how often each occurs,
  /// and its threshold falls at once instead of from time to time.
  void count_distances(std::uint32_t furthest);
  /// Says that rows were looked at, whether offered or not.
  void passed(std::size_t rows) noexcept { passed_ += rows; }
  /// Whether so many rows were passed that of the next ones less than one in `share` is likely to stay.
  bool is_selective(std::size_t share) const noexcept {
    return capacity_ == PoolLimit::kNoCount || passed_ / share >= capacity_;
  }
  /// No row above this distance can stay; a scorer need not offer it. Falls as the pool fills.
  float threshold() const noexcept { return threshold_; }
  /// Rows of the entered segment with their distances, in any order, each row once.
  void offer(const std::uint32_t* rows, const float* distances, std::size_t count);

  void merge(CandidatePool&& other);
  /// The kept candidates in order. The pool must not be used afterwards, except for reset().
  std::vector<Candidate> take();
  /// The same in any order.
  std::vector<Candidate> take_unordered();

 private:
  /// Where rows were offered from. Its ids are read late: only of rows that stay, or where a tie is cut.
  struct Source {
    const ItemId* ids;
    std::uint32_t segment;
  };
  /// Rows that may stay, as arrays of room for more than `held_`.
  struct Entries {
    std::vector<std::int32_t> keys;  // whole numbers in the order of the distances
    std::vector<std::uint32_t> rows;
    std::vector<std::uint32_t> sources;
  };

  bool is_counting() const noexcept { return !counts_.empty(); }
  std::span<const std::int32_t> keys() const noexcept { return std::span(entries_.keys).first(held_); }
  ItemId id_of(std::size_t entry) const noexcept {
    return sources_[entries_.sources[entry]].ids[entries_.rows[entry]];
  }
  Candidate candidate_of(std::size_t entry) const noexcept;
  void count(const float* distances, std::size_t count);
  void append(const std::uint32_t* rows, const float* distances, std::size_t count);
  void append_allowed(const std::uint32_t* rows, const float* distances, std::size_t count);
  void make_room(std::size_t count);
  void lower_threshold();
  void drop_above_threshold();
  void keep_nearest();
  std::vector<Candidate> sorted_by_counting() const;

  std::size_t capacity_ = 0;
  float threshold_ = 0;
  std::size_t due_ = 0;                // entries held when the threshold is lowered
  std::vector<std::uint32_t> counts_;  // of each whole distance, or empty
  std::size_t within_ = 0;             // rows counted at or below the threshold
  Entries entries_;
  std::size_t held_ = 0;
  std::size_t passed_ = 0;
  std::vector<Source> sources_;
  std::span<const std::uint32_t> excluded_;
};

/// One query at work. It may use what earlier parts taught it: the pool it fills must then be the same. Not
/// thread-safe.
class QueryScan {
 public:
  virtual ~QueryScan() = default;
  /// Offers every row of `part` that could stay in the pool.
  virtual void scan(const ScanPart& part, CandidatePool& pool) = 0;
};

/// A batch of queries, prepared for one code layout: lookup tables or query codes.
/// Immutable; many scans may be at work at once, and none may outlive the scorer.
class QueryScorer {
 public:
  virtual ~QueryScorer() = default;
  /// Number of queries.
  virtual std::size_t size() const noexcept = 0;
  /// \param query below size()
  virtual std::unique_ptr<QueryScan> begin(std::size_t query) const = 0;
};

/// Hamming distance to binary codes.
/// \param weights one for each 64-bit word, or empty: the distance is then their weighted sum. The largest
///        possible distance, 64 times the sum of the weights, must stay below 2^24, so that it is exact in float32
/// \throws Error incompatible (not binary codes), invalid_argument (another number of weights, or weights for
///        codes of 32 bits or fewer).
std::unique_ptr<QueryScorer> make_hamming_scorer(Codes queries, std::vector<std::uint32_t> weights = {});

/// Asymmetric distance to product codes: the sum of one table entry for each subspace (Jégou, Douze, Schmid
/// 2011, equation 13).
/// \param layout a product layout
/// \param tables one row a query: subspaces * 2^bits_per_entry finite entries, one subspace after the other
/// \throws Error (incompatible) when the tables have another width.
std::unique_ptr<QueryScorer> make_adc_scorer(const CodeLayout& layout, Matrix tables);

}  // namespace medretrieval
