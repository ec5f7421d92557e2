// Quantized asymmetric distance of 4-bit codes with 512-bit registers: 64 rows a shuffle. `Lookup::low` and
// `Lookup::high` look up the lower and the upper halves of 64 bytes in a table of 16 that stands in every 128-bit lane.
#pragma once

#include <immintrin.h>

#include "kernels/parts/scan.hpp"

namespace medretrieval::kernels {
namespace {

/// 16-bit sums of bytes for 64 rows. Bytes of even rows are added in place; those of odd rows come along in the upper
/// halves of `all` and are taken off at the end.
class ByteSums512 {
 public:
  void add(__m512i bytes) noexcept {
    all_ = _mm512_add_epi16(all_, bytes);
    odd_ = _mm512_add_epi16(odd_, _mm512_srli_epi16(bytes, 8));
  }
  /// One bit a row whose sum is up to the limit.
  std::uint64_t up_to(std::uint16_t limit) const noexcept {
    const __m512i even = _mm512_sub_epi16(all_, _mm512_slli_epi16(odd_, 8));
    const __m512i most = _mm512_set1_epi16(static_cast<short>(limit));
    const __mmask32 even_rows = _mm512_cmple_epu16_mask(even, most);
    const __mmask32 odd_rows = _mm512_cmple_epu16_mask(odd_, most);
    if ((even_rows | odd_rows) == 0) return 0;
    return _pdep_u64(even_rows, 0x5555555555555555U) | _pdep_u64(odd_rows, 0xaaaaaaaaaaaaaaaaU);
  }

 private:
  __m512i all_ = _mm512_setzero_si512();
  __m512i odd_ = _mm512_setzero_si512();
};

/// The tables of two subspaces, each four times beside itself.
struct TablePair512 {
  __m512i even;
  __m512i odd;
};

inline TablePair512 table_pair512(const std::uint8_t* tables, std::size_t pair) noexcept {
  const auto* table = reinterpret_cast<const __m128i*>(tables + pair * 32);
  return {_mm512_broadcast_i32x4(_mm_loadu_si128(table)), _mm512_broadcast_i32x4(_mm_loadu_si128(table + 1))};
}

/// kPairs 0: `pairs` says how many; otherwise the tables stay in registers.
template <class Lookup, std::size_t kPairs, bool kLong>
inline std::size_t saturated_scan(const BlockSpan& span, const std::uint8_t* tables, std::size_t pairs,
                                  std::uint16_t limit, Survivors& out) noexcept {
  const std::size_t count = kPairs != 0 ? kPairs : pairs;
  const std::size_t ahead = prefetch_distance(count * kBlockRows);
  const __m512i most = _mm512_set1_epi8(static_cast<char>(limit));
  TablePair512 kept[kPairs != 0 ? kPairs : 1];
  for (std::size_t p = 0; p < kPairs; ++p) kept[p] = table_pair512(tables, p);
  const auto score = [&](const std::uint8_t* first, const std::uint8_t* second, std::uint64_t first_mask,
                         std::uint64_t second_mask, std::uint32_t first_row) {
    const __m512i zero = _mm512_setzero_si512();
    __m512i sums[4] = {zero, zero, zero, zero};
#pragma GCC unroll 8
    for (std::size_t p = 0; p < count; ++p) {
      const TablePair512 table = kPairs != 0 ? kept[p] : table_pair512(tables, p);
      const __m512i codes = _mm512_load_si512(first + p * kBlockRows);
      const __m512i others = _mm512_load_si512(second + p * kBlockRows);
      prefetch<kLong>(first + ahead + p * kBlockRows);
      prefetch<kLong>(second + ahead + p * kBlockRows);
      sums[0] = _mm512_adds_epu8(sums[0], Lookup::low(table.even, codes));
      sums[1] = _mm512_adds_epu8(sums[1], Lookup::high(table.odd, codes));
      sums[2] = _mm512_adds_epu8(sums[2], Lookup::low(table.even, others));
      sums[3] = _mm512_adds_epu8(sums[3], Lookup::high(table.odd, others));
    }
    const std::uint64_t keep = _mm512_cmple_epu8_mask(_mm512_adds_epu8(sums[0], sums[1]), most) & first_mask;
    const std::uint64_t keep_others =
        _mm512_cmple_epu8_mask(_mm512_adds_epu8(sums[2], sums[3]), most) & second_mask;
    if ((keep | keep_others) == 0) return;
    append_rows(keep, first_row, out);
    append_rows(keep_others, first_row + static_cast<std::uint32_t>(kBlockRows), out);
  };
  return for_each_block_pair(span, count * kBlockRows, out, score);
}

/// For spans in the cache: one accumulator a block, and tables loaded once for four blocks.
template <class Lookup>
inline std::size_t saturated_scan_of_cached(const BlockSpan& span, const std::uint8_t* tables,
                                            std::size_t pairs, std::uint16_t limit, Survivors& out) noexcept {
  constexpr std::size_t kBlocks = 4;
  const __m512i most = _mm512_set1_epi8(static_cast<char>(limit));
  return for_each_block_group<kBlocks>(span, pairs * kBlockRows, out, [&](const BlockGroup<kBlocks>& group) {
    __m512i sums[kBlocks];
    for (auto& sum : sums) sum = _mm512_setzero_si512();
#pragma GCC unroll 4
    for (std::size_t p = 0; p < pairs; ++p) {
      const TablePair512 table = table_pair512(tables, p);
#pragma GCC unroll 4
      for (std::size_t b = 0; b < kBlocks; ++b) {
        const __m512i codes = _mm512_load_si512(group.codes[b] + p * kBlockRows);
        sums[b] = _mm512_adds_epu8(sums[b], Lookup::low(table.even, codes));
        sums[b] = _mm512_adds_epu8(sums[b], Lookup::high(table.odd, codes));
      }
    }
    for (std::size_t b = 0; b < kBlocks; ++b) {
      append_rows(_mm512_cmple_epu8_mask(sums[b], most) & group.masks[b],
                  group.first_row + static_cast<std::uint32_t>(b * kBlockRows), out);
    }
  });
}

template <class Lookup>
inline std::size_t saturated_adc4_of(const BlockSpan& span, const std::uint8_t* tables, std::size_t subspaces,
                                     std::uint16_t limit, Survivors& out) noexcept {
  const std::size_t pairs = (subspaces + 1) / 2;
  const bool is_long = span.count * pairs * kBlockRows > kLongSpanBytes;
  const auto scan = pairs == 8 ? is_long ? saturated_scan<Lookup, 8, true> : saturated_scan<Lookup, 8, false>
                    : is_long ? saturated_scan<Lookup, 0, true>
                               : saturated_scan_of_cached<Lookup>;
  return scan(span, tables, pairs, limit, out);
}

template <class Lookup, bool kLong>
inline std::size_t quantized_scan(const BlockSpan& span, const std::uint8_t* tables, std::size_t pairs,
                                  std::uint16_t limit, Survivors& out) noexcept {
  const std::size_t ahead = prefetch_distance(pairs * kBlockRows);
  const auto score = [&](const std::uint8_t* first, const std::uint8_t* second, std::uint64_t first_mask,
                         std::uint64_t second_mask, std::uint32_t first_row) {
    ByteSums512 sums[2];
    const auto bytes_of = [&](const std::uint8_t* codes, std::size_t p, const TablePair512& table) {
      const __m512i both = _mm512_load_si512(codes + p * kBlockRows);
      prefetch<kLong>(codes + ahead + p * kBlockRows);
      return _mm512_add_epi8(Lookup::low(table.even, both), Lookup::high(table.odd, both));
    };
    std::size_t p = 0;
    for (; p + 2 <= pairs; p += 2) {
      const TablePair512 table = table_pair512(tables, p);
      const TablePair512 next = table_pair512(tables, p + 1);
      sums[0].add(_mm512_add_epi8(bytes_of(first, p, table), bytes_of(first, p + 1, next)));
      sums[1].add(_mm512_add_epi8(bytes_of(second, p, table), bytes_of(second, p + 1, next)));
    }
    if (p < pairs) {
      const TablePair512 table = table_pair512(tables, p);
      sums[0].add(bytes_of(first, p, table));
      sums[1].add(bytes_of(second, p, table));
    }
    append_rows(sums[0].up_to(limit) & first_mask, first_row, out);
    append_rows(sums[1].up_to(limit) & second_mask, first_row + static_cast<std::uint32_t>(kBlockRows), out);
  };
  return for_each_block_pair(span, pairs * kBlockRows, out, score);
}

template <class Lookup>
inline std::size_t quantized_adc4_of(const BlockSpan& span, const std::uint8_t* tables, std::size_t subspaces,
                                     std::uint16_t limit, Survivors& out) noexcept {
  const std::size_t pairs = (subspaces + 1) / 2;
  const bool is_long = span.count * pairs * kBlockRows > kLongSpanBytes;
  return (is_long ? quantized_scan<Lookup, true> : quantized_scan<Lookup, false>)(span, tables, pairs, limit,
                                                                                  out);
}

}  // namespace
}  // namespace medretrieval::kernels
