// The scan over quantized tables of 8-bit codes where a lookup takes many instructions: rows that are out of reach after a
// few subspaces are not looked at again.
#pragma once

#include "kernels/parts/scan.hpp"

namespace medretrieval::kernels {
namespace {

/// Subspaces that are summed before the rows in reach are looked for.
constexpr std::size_t kSubspacesBetweenChecks = 4;

inline std::size_t next_subspaces(std::size_t left) noexcept {
  return left < kSubspacesBetweenChecks ? left : kSubspacesBetweenChecks;
}

/// Appends those rows of `keep` in the block at `codes` whose sum over all subspaces is at most `limit`.
inline void append_by_sum(const std::uint8_t* codes, const std::uint8_t* tables, std::size_t subspaces,
                          std::uint32_t limit, std::uint64_t keep, std::uint32_t first_row,
                          Survivors& out) noexcept {
  for (; keep != 0; keep &= keep - 1) {
    const auto row = static_cast<std::size_t>(__builtin_ctzll(keep));
    std::uint32_t sum = 0;
    for (std::size_t m = 0; m < subspaces; ++m) sum += tables[m * 256 + codes[m * kBlockRows + row]];
    out.rows[out.count] = first_row + static_cast<std::uint32_t>(row);
    out.count += sum <= limit ? 1 : 0;
  }
}

/// `Sums` holds the sums of 128 rows: add(table of a subspace, codes of the first 64 rows, codes of the others), and
/// first(limit) and second(limit), one bit for each row whose sum is up to the limit. One `add` costs about as much as
/// `Sums::kRowLookups` lookups for single rows.
template <class Sums, bool kLong>
[[maybe_unused]] inline std::size_t pruned_scan8(const BlockSpan& span, const std::uint8_t* tables,
                                                 std::size_t subspaces, std::uint16_t limit,
                                                 Survivors& out) noexcept {
  const std::size_t ahead = prefetch_distance(subspaces * kBlockRows);
  const auto score = [&](const std::uint8_t* first, const std::uint8_t* second, std::uint64_t first_mask,
                         std::uint64_t second_mask, std::uint32_t first_row) {
    const std::uint32_t second_row = first_row + static_cast<std::uint32_t>(kBlockRows);
    // All of the codes: single rows are looked up in every subspace.
    for (std::size_t i = 0; kLong && i < subspaces; ++i) {
      prefetch<kLong>(first + ahead + i * kBlockRows);
      prefetch<kLong>(second + ahead + i * kBlockRows);
    }
    Sums sums;
    std::size_t m = 0;
    while (true) {
      for (const std::size_t end = m + next_subspaces(subspaces - m); m < end; ++m) {
        sums.add(tables + m * 256, first + m * kBlockRows, second + m * kBlockRows);
      }
      const std::uint64_t keep = sums.first(limit) & first_mask;
      const std::uint64_t keep_others = sums.second(limit) & second_mask;
      if ((keep | keep_others) == 0) return;
      if (m == subspaces) {
        append_rows(keep, first_row, out);
        append_rows(keep_others, second_row, out);
        return;
      }
      // Single rows, once all of their lookups cost less than the next subspaces of all rows.
      const auto rows =
          static_cast<std::size_t>(__builtin_popcountll(keep) + __builtin_popcountll(keep_others));
      if (rows * subspaces < next_subspaces(subspaces - m) * Sums::kRowLookups) {
        append_by_sum(first, tables, subspaces, limit, keep, first_row, out);
        append_by_sum(second, tables, subspaces, limit, keep_others, second_row, out);
        return;
      }
    }
  };
  return for_each_block_pair(span, subspaces * kBlockRows, out, score);
}

template <class Sums>
[[maybe_unused]] inline std::size_t quantized_adc8_of(const BlockSpan& span, const std::uint8_t* tables,
                                                      std::size_t subspaces, std::uint16_t limit,
                                                      Survivors& out) noexcept {
  const bool is_long = span.count * subspaces * kBlockRows > kLongSpanBytes;
  return (is_long ? pruned_scan8<Sums, true> : pruned_scan8<Sums, false>)(span, tables, subspaces, limit,
                                                                          out);
}

}  // namespace
}  // namespace medretrieval::kernels
