// The loop over blocks that all scan kernels share.
//
// Everything in this folder lies in an unnamed namespace on purpose: each kernel file gets a copy of its own,
// compiled with its own instruction set, and none can be linked into another's.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/kernel_table.hpp"

namespace medretrieval::kernels {
namespace {

/// Calls score(codes of the block, mask, first row) for every block with rows that count, while a whole block still
/// fits into `out`. Returns the number of blocks done.
template <class Score>
[[maybe_unused]] inline std::size_t for_each_block(const BlockSpan& span, std::size_t block_bytes,
                                                   const Survivors& out, const Score& score) noexcept {
  std::size_t block = 0;
  for (; block < span.count && out.capacity - out.count >= kBlockRows; ++block) {
    const std::uint64_t mask = span.masks == nullptr ? ~std::uint64_t{0} : span.masks[block];
    if (mask == 0) continue;
    score(span.blocks + block * block_bytes, mask,
          span.first_row + static_cast<std::uint32_t>(block * kBlockRows));
  }
  return block;
}

/// Appends the rows of `keep`; distances[r] is row r's.
template <class Distance>
[[maybe_unused]] inline void append(const Distance* distances, std::uint64_t keep, std::uint32_t first_row,
                                    Survivors& out) noexcept {
  for (; keep != 0; keep &= keep - 1) {
    const auto row = static_cast<std::size_t>(__builtin_ctzll(keep));
    out.rows[out.count] = first_row + static_cast<std::uint32_t>(row);
    out.distances[out.count] = static_cast<float>(distances[row]);
    ++out.count;
  }
}

/// Appends the rows of `keep` without distances.
[[maybe_unused]] inline void append_rows(std::uint64_t keep, std::uint32_t first_row,
                                         Survivors& out) noexcept {
  for (; keep != 0; keep &= keep - 1) {
    out.rows[out.count++] = first_row + static_cast<std::uint32_t>(__builtin_ctzll(keep));
  }
}

}  // namespace
}  // namespace medretrieval::kernels
