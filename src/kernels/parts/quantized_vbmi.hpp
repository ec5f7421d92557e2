// Quantized asymmetric distance with VBMI: a table of 256 bytes is two permutes over 128 bytes each.
#pragma once

#include "kernels/parts/quantized_avx512.hpp"

namespace medretrieval::kernels {
namespace {

/// Looks up half bytes by permutes over 64 bytes: the upper bits of an index only choose among equal tables.
struct PermutedHalves {
  static __m512i low(__m512i table, __m512i bytes) noexcept { return _mm512_permutexvar_epi8(bytes, table); }
  static __m512i high(__m512i table, __m512i bytes) noexcept {
    return _mm512_permutexvar_epi8(_mm512_srli_epi16(bytes, 4), table);
  }
};

template <bool kLong>
inline std::size_t quantized_scan8(const BlockSpan& span, const std::uint8_t* tables, std::size_t subspaces,
                                   std::uint16_t limit, Survivors& out) noexcept {
  const std::size_t ahead = prefetch_distance(subspaces * kBlockRows);
  const auto score = [&](const std::uint8_t* first, const std::uint8_t* second, std::uint64_t first_mask,
                         std::uint64_t second_mask, std::uint32_t first_row) {
    ByteSums512 sums[2];
    for (std::size_t m = 0; m < subspaces; ++m) {
      const std::uint8_t* table = tables + m * 256;
      const __m512i parts[4] = {_mm512_loadu_si512(table), _mm512_loadu_si512(table + 64),
                                _mm512_loadu_si512(table + 128), _mm512_loadu_si512(table + 192)};
      const auto bytes_of = [&](const std::uint8_t* codes) {
        const __m512i entry = _mm512_load_si512(codes + m * kBlockRows);
        prefetch<kLong>(codes + ahead + m * kBlockRows);
        const __m512i below = _mm512_permutex2var_epi8(parts[0], entry, parts[1]);
        const __m512i above = _mm512_permutex2var_epi8(parts[2], entry, parts[3]);
        return _mm512_mask_blend_epi8(_mm512_movepi8_mask(entry), below, above);
      };
      sums[0].add(bytes_of(first));
      sums[1].add(bytes_of(second));
    }
    append_rows(sums[0].up_to(limit) & first_mask, first_row, out);
    append_rows(sums[1].up_to(limit) & second_mask, first_row + static_cast<std::uint32_t>(kBlockRows), out);
  };
  return for_each_block_pair(span, subspaces * kBlockRows, out, score);
}

[[maybe_unused]] std::size_t quantized_adc8(const BlockSpan& span, const std::uint8_t* tables,
                                            std::size_t subspaces, std::uint16_t limit,
                                            Survivors& out) noexcept {
  const bool is_long = span.count * subspaces * kBlockRows > kLongSpanBytes;
  return (is_long ? quantized_scan8<true> : quantized_scan8<false>)(span, tables, subspaces, limit, out);
}

}  // namespace
}  // namespace medretrieval::kernels
