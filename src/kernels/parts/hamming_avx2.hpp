// Hamming distance with 256-bit registers: bits of half bytes by shuffles.
#pragma once

#include <immintrin.h>

#include "kernels/parts/scan.hpp"

namespace medretrieval::kernels {
namespace {

/// Bits set in each byte.
inline __m256i bits_in_bytes(__m256i value) noexcept {
  const __m256i counts = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,  //
                                          0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  const __m256i low_half = _mm256_set1_epi8(15);
  const __m256i low = _mm256_shuffle_epi8(counts, _mm256_and_si256(value, low_half));
  const __m256i high = _mm256_shuffle_epi8(counts, _mm256_and_si256(_mm256_srli_epi16(value, 4), low_half));
  return _mm256_add_epi8(low, high);
}

/// Sums of 16 rows over words `begin` to `end` (at most 31 when unweighted, so that counts of bytes do not overflow).
template <bool kWeighted>
inline void add_words(const std::uint8_t* codes, const std::uint64_t* query, const std::uint32_t* weights,
                      std::size_t begin, std::size_t end, __m256i* sums) noexcept {
  __m256i bytes[4] = {};
  for (std::size_t w = begin; w < end; ++w) {
    const __m256i wanted = _mm256_set1_epi64x(static_cast<long long>(query[w]));
#pragma GCC unroll 4
    for (std::size_t v = 0; v < 4; ++v) {
      const auto* at = reinterpret_cast<const __m256i*>(codes + w * kBlockRows * 8 + v * 32);
      const __m256i bits = bits_in_bytes(_mm256_xor_si256(_mm256_load_si256(at), wanted));
      if constexpr (kWeighted) {
        const __m256i lanes = _mm256_sad_epu8(bits, _mm256_setzero_si256());
        sums[v] = _mm256_add_epi64(sums[v], _mm256_mul_epu32(lanes, _mm256_set1_epi64x(weights[w])));
      } else {
        bytes[v] = _mm256_add_epi8(bytes[v], bits);
      }
    }
  }
  if constexpr (!kWeighted) {
#pragma GCC unroll 4
    for (std::size_t v = 0; v < 4; ++v) {
      sums[v] = _mm256_add_epi64(sums[v], _mm256_sad_epu8(bytes[v], _mm256_setzero_si256()));
    }
  }
}

/// kWords 0: `words` says how many.
template <std::size_t kWords, bool kWeighted>
inline std::size_t hamming_scan(const BlockSpan& span, const std::uint64_t* query,
                                const std::uint32_t* weights, std::size_t words, std::uint32_t threshold,
                                Survivors& out) noexcept {
  const std::size_t count = kWords != 0 ? kWords : words;
  const __m256i limit = _mm256_set1_epi64x(threshold);
  const auto score = [&](const std::uint8_t* codes, std::uint64_t mask, std::uint32_t first_row) {
    for (std::uint32_t r = 0; r < kBlockRows; r += 16) {
      __m256i sums[4] = {};
      if constexpr (kWords != 0 || kWeighted) {
        add_words<kWeighted>(codes + r * 8, query, weights, 0, count, sums);
      } else {
        for (std::size_t w = 0; w < count; w += 31) {
          add_words<false>(codes + r * 8, query, weights, w, w + 31 < count ? w + 31 : count, sums);
        }
      }
      std::uint64_t above = 0;
#pragma GCC unroll 4
      for (std::size_t v = 0; v < 4; ++v) {
        const __m256i greater = _mm256_cmpgt_epi64(sums[v], limit);
        above |= static_cast<std::uint64_t>(_mm256_movemask_pd(_mm256_castsi256_pd(greater))) << (v * 4);
      }
      const std::uint64_t keep = (mask >> r) & ~above & 0xffff;
      if (keep == 0) continue;
      alignas(32) std::uint64_t distances[16];
      for (std::size_t v = 0; v < 4; ++v) {
        _mm256_store_si256(reinterpret_cast<__m256i*>(distances + v * 4), sums[v]);
      }
      append(distances, keep, first_row + r, out);
    }
  };
  return for_each_block(span, count * kBlockRows * 8, out, score);
}

[[maybe_unused]] std::size_t hamming(const BlockSpan& span, const std::uint64_t* query,
                                     const std::uint32_t* weights, std::size_t words, std::uint32_t threshold,
                                     Survivors& out) noexcept {
  if (weights != nullptr) return hamming_scan<0, true>(span, query, weights, words, threshold, out);
  switch (words) {
    case 1:
      return hamming_scan<1, false>(span, query, weights, words, threshold, out);
    case 2:
      return hamming_scan<2, false>(span, query, weights, words, threshold, out);
    case 4:
      return hamming_scan<4, false>(span, query, weights, words, threshold, out);
    case 8:
      return hamming_scan<8, false>(span, query, weights, words, threshold, out);
    default:
      return hamming_scan<0, false>(span, query, weights, words, threshold, out);
  }
}

[[maybe_unused]] std::size_t hamming32(const BlockSpan& span, std::uint32_t query, std::uint32_t threshold,
                                       Survivors& out) noexcept {
  const __m256i wanted = _mm256_set1_epi32(static_cast<int>(query));
  // No code is further than 32, so a larger threshold admits all and fits a signed comparison.
  const __m256i limit = _mm256_set1_epi32(threshold < 32 ? static_cast<int>(threshold) : 32);
  return for_each_block(
      span, kBlockRows * 4, out, [&](const std::uint8_t* codes, std::uint64_t mask, std::uint32_t first_row) {
        alignas(32) std::uint32_t distances[kBlockRows];
        std::uint64_t above = 0;
#pragma GCC unroll 8
        for (std::size_t r = 0; r < kBlockRows; r += 8) {
          const __m256i code = _mm256_load_si256(reinterpret_cast<const __m256i*>(codes + r * 4));
          const __m256i bytes = bits_in_bytes(_mm256_xor_si256(code, wanted));
          const __m256i sum =
              _mm256_madd_epi16(_mm256_maddubs_epi16(bytes, _mm256_set1_epi8(1)), _mm256_set1_epi16(1));
          _mm256_store_si256(reinterpret_cast<__m256i*>(distances + r), sum);
          const int greater = _mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpgt_epi32(sum, limit)));
          above |= static_cast<std::uint64_t>(greater) << r;
        }
        append(distances, mask & ~above, first_row, out);
      });
}

}  // namespace
}  // namespace medretrieval::kernels
