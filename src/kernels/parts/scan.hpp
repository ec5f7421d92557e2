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

/// Blocks handled at a time. Where fewer are left, or fit into the survivors, the last places hold the first block again
/// with an empty mask.
template <std::size_t kBlocks>
struct BlockGroup {
  const std::uint8_t* codes[kBlocks];
  std::uint64_t masks[kBlocks];
  std::uint32_t first_row;
};

/// Calls score(group) for kBlocks blocks at a time, so that what is loaded for a query serves them all.
template <std::size_t kBlocks, class Score>
[[maybe_unused]] inline std::size_t for_each_block_group(const BlockSpan& span, std::size_t block_bytes,
                                                         const Survivors& out, const Score& score) noexcept {
  std::size_t block = 0;
  while (block < span.count && out.capacity - out.count >= kBlockRows) {
    const std::size_t fit = (out.capacity - out.count) / kBlockRows;
    std::size_t count = span.count - block < kBlocks ? span.count - block : kBlocks;
    if (count > fit) count = fit;
    BlockGroup<kBlocks> group;
    group.first_row = span.first_row + static_cast<std::uint32_t>(block * kBlockRows);
    std::uint64_t any = 0;
    for (std::size_t b = 0; b < kBlocks; ++b) {
      const bool there = b < count;
      group.codes[b] = span.blocks + (block + (there ? b : 0)) * block_bytes;
      group.masks[b] = !there ? 0 : span.masks == nullptr ? ~std::uint64_t{0} : span.masks[block + b];
      any |= group.masks[b];
    }
    if (any != 0) score(group);
    block += count;
  }
  return block;
}

/// The same for two: score(first codes, second codes, first mask, second mask, first row).
template <class Score>
[[maybe_unused]] inline std::size_t for_each_block_pair(const BlockSpan& span, std::size_t block_bytes,
                                                        const Survivors& out, const Score& score) noexcept {
  return for_each_block_group<2>(span, block_bytes, out, [&](const BlockGroup<2>& pair) {
    score(pair.codes[0], pair.codes[1], pair.masks[0], pair.masks[1], pair.first_row);
  });
}

/// How far ahead of what they read long scans ask for codes: what the processor fetches by itself ends at a page.
/// Two blocks are read at a time, so two blocks are the least.
constexpr std::size_t kPrefetchBytes = 8192;
/// Spans beyond this many bytes come from memory; shorter ones are tiles that several queries share in the cache.
constexpr std::size_t kLongSpanBytes = 512 * 1024;

inline std::size_t prefetch_distance(std::size_t block_bytes) noexcept {
  return 2 * block_bytes > kPrefetchBytes ? 2 * block_bytes : kPrefetchBytes;
}

/// Asks for the codes at `codes` when kLong.
template <bool kLong>
[[maybe_unused]] inline void prefetch(const std::uint8_t* codes) noexcept {
  if constexpr (kLong) __builtin_prefetch(codes);
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
