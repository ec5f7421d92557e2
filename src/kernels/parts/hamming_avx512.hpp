// Hamming distance with 512-bit registers. `Bits::in_words` counts the bits of each 64-bit lane,
// `Bits::in_half_words` those of each 32-bit lane.
#pragma once

#include <immintrin.h>

#include "kernels/parts/scan.hpp"

namespace medretrieval::kernels {
namespace {

constexpr std::size_t kVectors = kBlockRows / 8;  // of eight 64-bit lanes

/// Appends the 16 rows from `first_row` that `keep` marks. Writes all 16 places: fewer rows come before in a block than
/// places are free. (Compressing to memory is slow on some processors, to a register never.)
[[maybe_unused]] inline void append16(__m512 distances, __mmask16 keep, std::uint32_t first_row,
                                      Survivors& out) noexcept {
  const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512i rows = _mm512_add_epi32(lane, _mm512_set1_epi32(static_cast<int>(first_row)));
  _mm512_storeu_si512(out.rows + out.count, _mm512_maskz_compress_epi32(keep, rows));
  _mm512_storeu_ps(out.distances + out.count, _mm512_maskz_compress_ps(keep, distances));
  out.count += static_cast<std::size_t>(__builtin_popcount(keep));
}

/// kWords 0: `words` says how many.
template <class Bits, std::size_t kWords, bool kWeighted>
inline std::size_t hamming_scan(const BlockSpan& span, const std::uint64_t* query,
                                const std::uint32_t* weights, std::size_t words, std::uint32_t threshold,
                                Survivors& out) noexcept {
  const std::size_t count = kWords != 0 ? kWords : words;
  const __m512i limit = _mm512_set1_epi64(threshold);
  const auto score = [&](const std::uint8_t* codes, std::uint64_t mask, std::uint32_t first_row) {
    __m512i sums[kVectors];
#pragma GCC unroll 8
    for (auto& sum : sums) sum = _mm512_setzero_si512();
#pragma GCC unroll 8
    for (std::size_t w = 0; w < count; ++w) {
      const __m512i wanted = _mm512_set1_epi64(static_cast<long long>(query[w]));
#pragma GCC unroll 8
      for (std::size_t v = 0; v < kVectors; ++v) {
        const __m512i code = _mm512_load_si512(codes + w * kBlockRows * 8 + v * 64);
        __m512i bits = Bits::in_words(_mm512_xor_si512(code, wanted));
        if constexpr (kWeighted) bits = _mm512_mul_epu32(bits, _mm512_set1_epi64(weights[w]));
        sums[v] = _mm512_add_epi64(sums[v], bits);
      }
    }
    // The upper halves of the lanes are zero, so a minimum of halves is one of whole lanes.
    const __m512i least = _mm512_min_epu32(
        _mm512_min_epu32(_mm512_min_epu32(sums[0], sums[1]), _mm512_min_epu32(sums[2], sums[3])),
        _mm512_min_epu32(_mm512_min_epu32(sums[4], sums[5]), _mm512_min_epu32(sums[6], sums[7])));
    if (_mm512_cmple_epu64_mask(least, limit) == 0) return;
#pragma GCC unroll 4
    for (std::uint32_t v = 0; v < kVectors; v += 2) {
      const __m512i pair = _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvtepi64_epi32(sums[v])),
                                              _mm512_cvtepi64_epi32(sums[v + 1]), 1);
      const __mmask16 keep = _mm512_mask_cmple_epu32_mask(static_cast<__mmask16>(mask >> (v * 8)), pair,
                                                          _mm512_set1_epi32(static_cast<int>(threshold)));
      append16(_mm512_cvtepi32_ps(pair), keep, first_row + v * 8, out);
    }
  };
  return for_each_block(span, count * kBlockRows * 8, out, score);
}

template <class Bits>
inline std::size_t hamming_of(const BlockSpan& span, const std::uint64_t* query, const std::uint32_t* weights,
                              std::size_t words, std::uint32_t threshold, Survivors& out) noexcept {
  if (weights != nullptr) return hamming_scan<Bits, 0, true>(span, query, weights, words, threshold, out);
  switch (words) {
    case 1:
      return hamming_scan<Bits, 1, false>(span, query, weights, words, threshold, out);
    case 2:
      return hamming_scan<Bits, 2, false>(span, query, weights, words, threshold, out);
    case 4:
      return hamming_scan<Bits, 4, false>(span, query, weights, words, threshold, out);
    case 8:
      return hamming_scan<Bits, 8, false>(span, query, weights, words, threshold, out);
    default:
      return hamming_scan<Bits, 0, false>(span, query, weights, words, threshold, out);
  }
}

template <class Bits>
inline std::size_t hamming32_of(const BlockSpan& span, std::uint32_t query, std::uint32_t threshold,
                                Survivors& out) noexcept {
  const __m512i wanted = _mm512_set1_epi32(static_cast<int>(query));
  const __m512i limit = _mm512_set1_epi32(static_cast<int>(threshold));
  return for_each_block(
      span, kBlockRows * 4, out, [&](const std::uint8_t* codes, std::uint64_t mask, std::uint32_t first_row) {
        __m512i sums[4];
#pragma GCC unroll 4
        for (std::size_t v = 0; v < 4; ++v) {
          sums[v] = Bits::in_half_words(_mm512_xor_si512(_mm512_load_si512(codes + v * 64), wanted));
        }
        const __m512i least =
            _mm512_min_epu32(_mm512_min_epu32(sums[0], sums[1]), _mm512_min_epu32(sums[2], sums[3]));
        if (_mm512_cmple_epu32_mask(least, limit) == 0) return;
        for (std::uint32_t v = 0; v < 4; ++v) {
          const __mmask16 keep =
              _mm512_mask_cmple_epu32_mask(static_cast<__mmask16>(mask >> (v * 16)), sums[v], limit);
          append16(_mm512_cvtepi32_ps(sums[v]), keep, first_row + v * 16, out);
        }
      });
}

}  // namespace
}  // namespace medretrieval::kernels
