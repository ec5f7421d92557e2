// Byte sums of whole blocks of 4-bit codes with 512-bit registers. `Lookup` as in quantized_avx512.hpp.
#pragma once

#include <immintrin.h>

#include "kernels/parts/quantized_avx512.hpp"

namespace medretrieval::kernels {
namespace {

/// kBlocks blocks share the loads of the tables.
template <class Lookup, std::size_t kBlocks>
inline void sum_blocks(const std::uint8_t* blocks, const std::uint8_t* tables, std::size_t pairs,
                       std::uint8_t* sums) noexcept {
  __m512i even[kBlocks];
  __m512i odd[kBlocks];
  for (std::size_t b = 0; b < kBlocks; ++b) even[b] = odd[b] = _mm512_setzero_si512();
  for (std::size_t p = 0; p < pairs; ++p) {
    const TablePair512 table = table_pair512(tables, p);
    for (std::size_t b = 0; b < kBlocks; ++b) {
      const __m512i codes = _mm512_load_si512(blocks + (b * pairs + p) * kBlockRows);
      even[b] = _mm512_adds_epu8(even[b], Lookup::low(table.even, codes));
      odd[b] = _mm512_adds_epu8(odd[b], Lookup::high(table.odd, codes));
    }
  }
  for (std::size_t b = 0; b < kBlocks; ++b) {
    _mm512_storeu_si512(sums + b * kBlockRows, _mm512_adds_epu8(even[b], odd[b]));
  }
}

template <class Lookup>
inline void byte_sums_of(const std::uint8_t* blocks, std::size_t count, const std::uint8_t* tables,
                         std::size_t subspaces, std::uint8_t* sums) noexcept {
  const std::size_t pairs = (subspaces + 1) / 2;
  const std::size_t block_bytes = pairs * kBlockRows;
  std::size_t b = 0;
  for (; b + 4 <= count; b += 4) {
    sum_blocks<Lookup, 4>(blocks + b * block_bytes, tables, pairs, sums + b * kBlockRows);
  }
  for (; b < count; ++b) {
    sum_blocks<Lookup, 1>(blocks + b * block_bytes, tables, pairs, sums + b * kBlockRows);
  }
}

[[maybe_unused]] std::size_t sums_up_to(const std::uint8_t* sums, std::size_t count, std::uint8_t bound,
                                        std::uint64_t* masks) noexcept {
  const __m512i most = _mm512_set1_epi8(static_cast<char>(bound));
  std::size_t found = 0;
  for (std::size_t b = 0; b < count; ++b) {
    masks[b] = _mm512_cmple_epu8_mask(_mm512_loadu_si512(sums + b * kBlockRows), most);
    found += static_cast<std::size_t>(_mm_popcnt_u64(masks[b]));
  }
  return found;
}

}  // namespace
}  // namespace medretrieval::kernels
