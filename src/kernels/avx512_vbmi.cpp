// AVX-512 with VPOPCNTDQ and VBMI: population counts of whole words. The other kernels are those of
// avx512.cpp.
#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/kernel_table.hpp"

namespace medretrieval::kernels {
namespace {

inline std::uint64_t mask_of(const BlockSpan& span, std::size_t block) noexcept {
  return span.masks == nullptr ? ~std::uint64_t{0} : span.masks[block];
}

inline void append16(__m512 distances, __mmask16 keep, std::uint32_t first_row, Survivors& out) noexcept {
  if (keep == 0) return;
  const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512i rows = _mm512_add_epi32(lane, _mm512_set1_epi32(static_cast<int>(first_row)));
  _mm512_mask_compressstoreu_epi32(out.rows + out.count, keep, rows);
  _mm512_mask_compressstoreu_ps(out.distances + out.count, keep, distances);
  out.count += static_cast<std::size_t>(__builtin_popcount(keep));
}

template <bool kWeighted>
inline __m512i distance8(const std::uint8_t* codes, const std::uint64_t* query, const std::uint32_t* weights,
                         std::size_t words) noexcept {
  __m512i sum = _mm512_setzero_si512();
  for (std::size_t w = 0; w < words; ++w) {
    const __m512i code = _mm512_load_si512(codes + w * kBlockRows * 8);
    __m512i bits =
        _mm512_popcnt_epi64(_mm512_xor_si512(code, _mm512_set1_epi64(static_cast<long long>(query[w]))));
    if constexpr (kWeighted) bits = _mm512_mul_epu32(bits, _mm512_set1_epi64(weights[w]));
    sum = _mm512_add_epi64(sum, bits);
  }
  return sum;
}

template <bool kWeighted>
inline std::size_t hamming_scan(const BlockSpan& span, const std::uint64_t* query,
                                const std::uint32_t* weights, std::size_t words, std::uint32_t threshold,
                                Survivors& out) noexcept {
  const __m512i limit = _mm512_set1_epi32(static_cast<int>(threshold));
  std::size_t block = 0;
  for (; block < span.count && out.capacity - out.count >= kBlockRows; ++block) {
    const std::uint64_t mask = mask_of(span, block);
    if (mask == 0) continue;
    const std::uint8_t* codes = span.blocks + block * words * kBlockRows * 8;
    const std::uint32_t first_row = span.first_row + static_cast<std::uint32_t>(block * kBlockRows);
    for (std::uint32_t r = 0; r < kBlockRows; r += 16) {
      const __m256i low = _mm512_cvtepi64_epi32(distance8<kWeighted>(codes + r * 8, query, weights, words));
      const __m256i high =
          _mm512_cvtepi64_epi32(distance8<kWeighted>(codes + r * 8 + 64, query, weights, words));
      const __m512i sum = _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
      const __mmask16 keep = _mm512_mask_cmple_epu32_mask(static_cast<__mmask16>(mask >> r), sum, limit);
      append16(_mm512_cvtepi32_ps(sum), keep, first_row + r, out);
    }
  }
  return block;
}

std::size_t hamming(const BlockSpan& span, const std::uint64_t* query, const std::uint32_t* weights,
                    std::size_t words, std::uint32_t threshold, Survivors& out) noexcept {
  return weights == nullptr ? hamming_scan<false>(span, query, weights, words, threshold, out)
                            : hamming_scan<true>(span, query, weights, words, threshold, out);
}

std::size_t hamming32(const BlockSpan& span, std::uint32_t query, std::uint32_t threshold,
                      Survivors& out) noexcept {
  const __m512i code = _mm512_set1_epi32(static_cast<int>(query));
  const __m512i limit = _mm512_set1_epi32(static_cast<int>(threshold));
  std::size_t block = 0;
  for (; block < span.count && out.capacity - out.count >= kBlockRows; ++block) {
    const std::uint64_t mask = mask_of(span, block);
    if (mask == 0) continue;
    const std::uint8_t* codes = span.blocks + block * kBlockRows * 4;
    const std::uint32_t first_row = span.first_row + static_cast<std::uint32_t>(block * kBlockRows);
    for (std::uint32_t r = 0; r < kBlockRows; r += 16) {
      const __m512i sum = _mm512_popcnt_epi32(_mm512_xor_si512(_mm512_load_si512(codes + r * 4), code));
      const __mmask16 keep = _mm512_mask_cmple_epu32_mask(static_cast<__mmask16>(mask >> r), sum, limit);
      append16(_mm512_cvtepi32_ps(sum), keep, first_row + r, out);
    }
  }
  return block;
}

}  // namespace

const KernelTable kAvx512VbmiKernels = {"avx512_vbmi", hamming, hamming32, nullptr, nullptr,
                                        nullptr,       nullptr, nullptr,   0,       0};

}  // namespace medretrieval::kernels
