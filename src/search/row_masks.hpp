// Which rows of a snapshot may be searched, as one bit a row.
#pragma once

#include <atomic>
#include <cstdint>
#include <medretrieval/filter.hpp>
#include <memory>
#include <vector>

#include "gallery/snapshot_state.hpp"

namespace medretrieval::detail {

/// One bit a row, in words of 64 rows; null: all rows.
using RowMask = std::shared_ptr<const std::vector<std::uint64_t>>;

/// The rows that a search may look at before gate and patient.
struct EligibleRows {
  struct Part {
    std::vector<RowRange> ranges;  ///< ascending; no row outside them is eligible
    RowMask mask;
    std::vector<std::uint32_t> before;  ///< rows before each word of the mask
    std::vector<std::uint32_t> rows;    ///< those that the mask marks, where they are few; else empty
    /// Whether the features of `rows` were checked: then no search needs to do so again.
    std::shared_ptr<std::atomic<bool>> rows_checked = std::make_shared<std::atomic<bool>>(false);

    /// Rows `begin` to `end - 1`, which lie in a range, that are eligible.
    std::size_t count(std::size_t begin, std::size_t end) const;
    /// All eligible rows.
    std::size_t count() const;
  };

  /// The rows of each part that are alive and meet the filter.
  /// \throws Error not_found (an unknown label or column), invalid_argument (an empty or reversed range),
  ///        corrupt.
  EligibleRows(const Filter& filter, std::shared_ptr<const SnapshotState> of);

  std::shared_ptr<const SnapshotState> state;
  std::vector<Part> parts;  ///< one for each of the snapshot
};

/// A mask being built.
class MaskBuilder {
 public:
  explicit MaskBuilder(std::size_t rows, bool all = false);
  /// A copy of `mask` over `rows` rows.
  MaskBuilder(const RowMask& mask, std::size_t rows);

  void set(std::size_t row) { words_[row / 64] |= std::uint64_t{1} << row % 64; }
  void clear(std::size_t row) { words_[row / 64] &= ~(std::uint64_t{1} << row % 64); }
  bool test(std::size_t row) const { return (words_[row / 64] >> row % 64 & 1) != 0; }
  void set_range(std::size_t begin, std::size_t end);
  void unite(const std::vector<std::uint64_t>& other);
  void intersect(const std::vector<std::uint64_t>& other);
  RowMask finish() { return std::make_shared<const std::vector<std::uint64_t>>(std::move(words_)); }

 private:
  std::vector<std::uint64_t> words_;
};

/// Set bits of rows `begin` to `end - 1`; all of them when the mask is null.
std::size_t count_rows(const RowMask& mask, std::size_t begin, std::size_t end);

}  // namespace medretrieval::detail
