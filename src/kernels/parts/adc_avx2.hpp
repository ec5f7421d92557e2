// Asymmetric distance with 256-bit registers: gathers for 8-bit codes, permutes for 4-bit ones.
#pragma once

#include <immintrin.h>

#include "kernels/parts/scan.hpp"

namespace medretrieval::kernels {
namespace {

/// lane j += lane j + 8, + 4, + 2, + 1 over vectors that hold one lane of eight rows each.
inline __m256 sum_lanes(__m256* lanes) noexcept {
  for (std::size_t step = 8; step > 0; step /= 2) {
    for (std::size_t j = 0; j < step; ++j) lanes[j] = _mm256_add_ps(lanes[j], lanes[j + step]);
  }
  return lanes[0];
}

/// lookup(m, r) gives the table entries of subspace m for the rows r to r + 7.
template <class Lookup>
inline std::uint64_t adc_block(std::size_t subspaces, float threshold, float* distances,
                               const Lookup& lookup) noexcept {
  const __m256 limit = _mm256_set1_ps(threshold);
  std::uint64_t keep = 0;
  for (std::size_t r = 0; r < kBlockRows; r += 8) {
    __m256 lanes[16];
    for (auto& lane : lanes) lane = _mm256_setzero_ps();
    for (std::size_t m = 0; m < subspaces; ++m) lanes[m % 16] = _mm256_add_ps(lanes[m % 16], lookup(m, r));
    const __m256 sum = sum_lanes(lanes);
    _mm256_store_ps(distances + r, sum);
    const int close = _mm256_movemask_ps(_mm256_cmp_ps(sum, limit, _CMP_LE_OQ));
    keep |= static_cast<std::uint64_t>(close) << r;
  }
  return keep;
}

[[maybe_unused]] std::size_t adc8(const BlockSpan& span, const float* tables, std::size_t subspaces,
                                  float threshold, Survivors& out) noexcept {
  return for_each_block(span, subspaces * kBlockRows, out,
                        [&](const std::uint8_t* codes, std::uint64_t mask, std::uint32_t first_row) {
                          alignas(32) float distances[kBlockRows];
                          const std::uint64_t keep =
                              adc_block(subspaces, threshold, distances, [=](std::size_t m, std::size_t r) {
                                const __m128i bytes = _mm_loadl_epi64(
                                    reinterpret_cast<const __m128i*>(codes + m * kBlockRows + r));
                                return _mm256_i32gather_ps(tables + m * 256, _mm256_cvtepu8_epi32(bytes), 4);
                              });
                          append(distances, mask & keep, first_row, out);
                        });
}

[[maybe_unused]] std::size_t adc4(const BlockSpan& span, const float* tables, std::size_t subspaces,
                                  float threshold, Survivors& out) noexcept {
  return for_each_block(
      span, ((subspaces + 1) / 2) * kBlockRows, out,
      [&](const std::uint8_t* codes, std::uint64_t mask, std::uint32_t first_row) {
        alignas(32) float distances[kBlockRows];
        const std::uint64_t keep =
            adc_block(subspaces, threshold, distances, [=](std::size_t m, std::size_t r) {
              const __m128i bytes =
                  _mm_loadl_epi64(reinterpret_cast<const __m128i*>(codes + m / 2 * kBlockRows + r));
              const __m256i both = _mm256_cvtepu8_epi32(bytes);
              const __m256i entry =
                  m % 2 == 0 ? _mm256_and_si256(both, _mm256_set1_epi32(15)) : _mm256_srli_epi32(both, 4);
              const __m256 below8 = _mm256_permutevar8x32_ps(_mm256_loadu_ps(tables + m * 16), entry);
              const __m256 from8 = _mm256_permutevar8x32_ps(_mm256_loadu_ps(tables + m * 16 + 8), entry);
              return _mm256_blendv_ps(below8, from8, _mm256_castsi256_ps(_mm256_slli_epi32(entry, 28)));
            });
        append(distances, mask & keep, first_row, out);
      });
}
}  // namespace
}  // namespace medretrieval::kernels
