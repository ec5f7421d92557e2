// The nearest of many centroids with 512-bit registers: 64 points at a time, 16 in a register, so that the
// running minima need no sum across a register and no product is written to memory.
#pragma once

#include <immintrin.h>

#include "kernels/kernel_table.hpp"

namespace medretrieval::kernels {
namespace {

constexpr std::size_t kNearestRegisters = kBlockRows / 16;

/// The masked forms with all lanes: GCC 12 warns of an uninitialized value inside the plain ones.
inline __m512 min_of(__m512 a, __m512 b) noexcept {
  return _mm512_maskz_min_ps(0xffffU, a, b);
}
inline __m512 max_of(__m512 a, __m512 b) noexcept {
  return _mm512_maskz_max_ps(0xffffU, a, b);
}

/// kCentroids centroids at a time, so that enough independent sums overlap.
template <std::size_t kCentroids>
inline void nearest_of(const float* points, const float* centroids, const float* half_norms,
                       std::size_t depth, std::uint32_t first, Nearest& nearest) noexcept {
  __m512 scores[kCentroids][kNearestRegisters];
#pragma GCC unroll 4
  for (std::size_t c = 0; c < kCentroids; ++c) {
    for (auto& score : scores[c]) score = _mm512_set1_ps(half_norms[c]);
  }
  for (std::size_t d = 0; d < depth; ++d) {
    __m512 values[kNearestRegisters];
    for (std::size_t v = 0; v < kNearestRegisters; ++v) {
      values[v] = _mm512_load_ps(points + d * kBlockRows + v * 16);
    }
#pragma GCC unroll 4
    for (std::size_t c = 0; c < kCentroids; ++c) {
      const __m512 value = _mm512_set1_ps(centroids[c * depth + d]);
      for (std::size_t v = 0; v < kNearestRegisters; ++v) {
        scores[c][v] = _mm512_fnmadd_ps(values[v], value, scores[c][v]);
      }
    }
  }
#pragma GCC unroll 4
  for (std::size_t v = 0; v < kNearestRegisters; ++v) {
    __m512 least = _mm512_load_ps(nearest.least + v * 16);
    __m512 second = _mm512_load_ps(nearest.second + v * 16);
    __m512i number = _mm512_load_si512(nearest.number + v * 16);
#pragma GCC unroll 4
    for (std::size_t c = 0; c < kCentroids; ++c) {
      const __mmask16 nearer = _mm512_cmp_ps_mask(scores[c][v], least, _CMP_LT_OQ);
      second = min_of(max_of(least, scores[c][v]), second);
      least = min_of(scores[c][v], least);
      number = _mm512_mask_set1_epi32(number, nearer, static_cast<int>(first + c));
    }
    _mm512_store_ps(nearest.least + v * 16, least);
    _mm512_store_ps(nearest.second + v * 16, second);
    _mm512_store_si512(nearest.number + v * 16, number);
  }
}

[[maybe_unused]] void nearest_centroids(const float* points, const float* centroids, const float* half_norms,
                                        std::size_t count, std::size_t depth, std::uint32_t first,
                                        Nearest& nearest) noexcept {
  std::size_t c = 0;
  for (; c + 4 <= count; c += 4) {
    nearest_of<4>(points, centroids + c * depth, half_norms + c, depth, first + static_cast<std::uint32_t>(c),
                  nearest);
  }
  for (; c < count; ++c) {
    nearest_of<1>(points, centroids + c * depth, half_norms + c, depth, first + static_cast<std::uint32_t>(c),
                  nearest);
  }
}

}  // namespace
}  // namespace medretrieval::kernels
