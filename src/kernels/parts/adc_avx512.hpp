// Asymmetric distance with 512-bit registers: gathers for 8-bit codes, permutes for 4-bit ones.
#pragma once

#include <immintrin.h>

#include "kernels/parts/hamming_avx512.hpp"

namespace medretrieval::kernels {
namespace {

/// Sums of 16 rows over all subspaces in 16 lanes; lookup(m) gives the entries of subspace m.
/// \tparam kWhole the subspaces are a multiple of 16, so that the lanes stay in registers
template <bool kWhole, class Lookup>
inline __m512 adc_sum(std::size_t subspaces, const Lookup& lookup) noexcept {
  __m512 lanes[16];
#pragma GCC unroll 16
  for (std::size_t j = 0; j < 16; ++j) lanes[j] = kWhole || j < subspaces ? lookup(j) : _mm512_setzero_ps();
  for (std::size_t m = 16; m < subspaces; m += 16) {
#pragma GCC unroll 16
    for (std::size_t j = 0; j < 16; ++j) {
      if (kWhole || m + j < subspaces) lanes[j] = _mm512_add_ps(lanes[j], lookup(m + j));
    }
  }
#pragma GCC unroll 4
  for (std::size_t step = 8; step > 0; step /= 2) {
#pragma GCC unroll 8
    for (std::size_t j = 0; j < step; ++j) lanes[j] = _mm512_add_ps(lanes[j], lanes[j + step]);
  }
  return lanes[0];
}

/// `lookup(codes, m)` gives the entries of the 16 rows at `codes`, already moved to the group's first row.
template <bool kWhole, class Lookup>
inline std::size_t adc_scan_of(const BlockSpan& span, std::size_t block_bytes, std::size_t subspaces,
                               float threshold, Survivors& out, const Lookup& lookup) noexcept {
  const __m512 limit = _mm512_set1_ps(threshold);
  return for_each_block(
      span, block_bytes, out, [&](const std::uint8_t* codes, std::uint64_t mask, std::uint32_t first_row) {
        for (std::uint32_t r = 0; r < kBlockRows; r += 16) {
          const __m512 sum = adc_sum<kWhole>(subspaces, [&](std::size_t m) { return lookup(codes + r, m); });
          const __mmask16 keep =
              _mm512_mask_cmp_ps_mask(static_cast<__mmask16>(mask >> r), sum, limit, _CMP_LE_OQ);
          append16(sum, keep, first_row + r, out);
        }
      });
}

template <class Lookup>
inline std::size_t adc_scan(const BlockSpan& span, std::size_t block_bytes, std::size_t subspaces,
                            float threshold, Survivors& out, const Lookup& lookup) noexcept {
  if (subspaces % 16 == 0) return adc_scan_of<true>(span, block_bytes, subspaces, threshold, out, lookup);
  return adc_scan_of<false>(span, block_bytes, subspaces, threshold, out, lookup);
}

[[maybe_unused]] std::size_t adc8(const BlockSpan& span, const float* tables, std::size_t subspaces,
                                  float threshold, Survivors& out) noexcept {
  return adc_scan(
      span, subspaces * kBlockRows, subspaces, threshold, out, [=](const std::uint8_t* codes, std::size_t m) {
        const __m128i bytes = _mm_load_si128(reinterpret_cast<const __m128i*>(codes + m * kBlockRows));
        return _mm512_i32gather_ps(_mm512_cvtepu8_epi32(bytes), tables + m * 256, 4);
      });
}

/// The entries of subspace m of the 16 rows at `codes`.
inline __m512 entries4(const std::uint8_t* codes, const float* tables, std::size_t m) noexcept {
  const __m128i bytes = _mm_load_si128(reinterpret_cast<const __m128i*>(codes + m / 2 * kBlockRows));
  const __m512i both = _mm512_cvtepu8_epi32(bytes);
  // vpermps reads the low four bits of each index.
  const __m512i entry = m % 2 == 0 ? both : _mm512_srli_epi32(both, 4);
  return _mm512_permutexvar_ps(entry, _mm512_loadu_ps(tables + m * 16));
}

[[maybe_unused]] std::size_t adc4(const BlockSpan& span, const float* tables, std::size_t subspaces,
                                  float threshold, Survivors& out) noexcept {
  return adc_scan(span, (subspaces + 1) / 2 * kBlockRows, subspaces, threshold, out,
                  [=](const std::uint8_t* codes, std::size_t m) { return entries4(codes, tables, m); });
}

/// Rows of the same 16 are scored together: 16 rows by permutes cost less than one by gathers.
[[maybe_unused]] void adc4_rows(const std::uint8_t* blocks, const float* tables, std::size_t subspaces,
                                const std::uint32_t* rows, std::size_t count, float* out) noexcept {
  const std::size_t block_bytes = (subspaces + 1) / 2 * kBlockRows;
  alignas(64) float sums[16];
  for (std::size_t i = 0; i < count;) {
    const std::uint32_t group = rows[i] / 16;
    const std::uint8_t* codes = blocks + rows[i] / kBlockRows * block_bytes + group * 16 % kBlockRows;
    const auto entries = [=](std::size_t m) { return entries4(codes, tables, m); };
    _mm512_store_ps(
        sums, subspaces % 16 == 0 ? adc_sum<true>(subspaces, entries) : adc_sum<false>(subspaces, entries));
    for (; i < count && rows[i] / 16 == group; ++i) out[i] = sums[rows[i] % 16];
  }
}

}  // namespace
}  // namespace medretrieval::kernels
