// Lookup tables: their entries, ranges and quantization, and distances of scattered rows, with 512-bit registers.
#pragma once

#include <immintrin.h>

#include "kernels/parts/dense_avx512.hpp"

namespace medretrieval::kernels {
namespace {

/// The entries of kBatches * 16 centroids of a subspace.
template <std::size_t kBatches>
inline void entries_of(const float* query, const float* values, std::size_t first, std::size_t last,
                       std::size_t entries, float* out) noexcept {
  __m512 sums[kBatches];
  for (auto& sum : sums) sum = _mm512_setzero_ps();
  for (std::size_t d = first; d < last; ++d) {
    const __m512 value = _mm512_set1_ps(query[d]);
    for (std::size_t b = 0; b < kBatches; ++b) {
      const __m512 difference = _mm512_sub_ps(value, _mm512_loadu_ps(values + d * entries + b * 16));
      sums[b] = _mm512_fmadd_ps(difference, difference, sums[b]);
    }
  }
  for (std::size_t b = 0; b < kBatches; ++b) _mm512_storeu_ps(out + b * 16, sums[b]);
}

[[maybe_unused]] void entry_distances(const float* query, const float* values, const std::size_t* starts,
                                      std::size_t subspaces, std::size_t entries, float* out) noexcept {
  for (std::size_t m = 0; m < subspaces; ++m, out += entries) {
    std::size_t j = 0;
    for (; j + 128 <= entries; j += 128) {
      entries_of<8>(query, values + j, starts[m], starts[m + 1], entries, out + j);
    }
    for (; j < entries; j += 16) {
      entries_of<1>(query, values + j, starts[m], starts[m + 1], entries, out + j);
    }
  }
}

[[maybe_unused]] void table_ranges(const float* tables, std::size_t count, std::size_t size, float* least,
                                   float* largest) noexcept {
  for (std::size_t m = 0; m < count; ++m) {
    const float* table = tables + m * size;
    __m512 low = _mm512_loadu_ps(table);
    __m512 high = low;
    for (std::size_t j = 16; j < size; j += 16) {
      const __m512 entries = _mm512_loadu_ps(table + j);
      low = _mm512_min_ps(low, entries);
      high = _mm512_max_ps(high, entries);
    }
    least[m] = _mm512_reduce_min_ps(low);
    largest[m] = _mm512_reduce_max_ps(high);
  }
}

[[maybe_unused]] void quantize_tables(const float* tables, std::size_t count, std::size_t size,
                                      const float* least, float scale, float largest,
                                      std::uint8_t* out) noexcept {
  const __m512 factor = _mm512_set1_ps(scale);
  const __m512 most = _mm512_set1_ps(largest);
  for (std::size_t m = 0; m < count; ++m) {
    const __m512 from = _mm512_set1_ps(least[m]);
    for (std::size_t j = m * size; j < (m + 1) * size; j += 16) {
      const __m512 level = _mm512_mul_ps(_mm512_sub_ps(_mm512_loadu_ps(tables + j), from), factor);
      const __m512i whole = _mm512_cvttps_epi32(_mm512_min_ps(level, most));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out + j), _mm512_cvtepi32_epi8(whole));
    }
  }
}

/// The 16 lanes are the subspaces m to m + 15 of one row: two gathers, of the code and of the table entries.
[[maybe_unused]] void adc8_rows(const std::uint8_t* blocks, const float* tables, std::size_t subspaces,
                                const std::uint32_t* rows, std::size_t count, float* out) noexcept {
  const std::size_t block_bytes = subspaces * kBlockRows;
  const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512i bytes = _mm512_slli_epi32(lane, 6);
  const __m512i starts = _mm512_slli_epi32(lane, 8);
  const __m512i entry_mask = _mm512_set1_epi32(255);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t row = rows[i] % kBlockRows;
    // Whole aligned words of four rows are read, which never leave the block.
    const std::uint8_t* codes = blocks + rows[i] / kBlockRows * block_bytes + (row & ~3U);
    const __m128i shift = _mm_cvtsi32_si128(static_cast<int>(row % 4 * 8));
    __m512 lanes = _mm512_setzero_ps();
    for (std::size_t m = 0; m < subspaces; m += 16) {
      const auto inside = static_cast<__mmask16>(subspaces - m >= 16 ? 0xffff : (1U << (subspaces - m)) - 1);
      const __m512i words =
          _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), inside, bytes, codes + m * kBlockRows, 1);
      const __m512i entry = _mm512_and_si512(_mm512_srl_epi32(words, shift), entry_mask);
      const __m512 values = _mm512_mask_i32gather_ps(_mm512_setzero_ps(), inside,
                                                     _mm512_add_epi32(starts, entry), tables + (m << 8), 4);
      lanes = _mm512_mask_add_ps(lanes, inside, lanes, values);
    }
    out[i] = sum_lanes(lanes);
  }
}

}  // namespace
}  // namespace medretrieval::kernels
