// The nearest of many centroids with 256-bit registers, and the signs of a row.
#pragma once

#include <immintrin.h>

#include "kernels/parts/dense_avx2.hpp"

namespace medretrieval::kernels {
namespace {

constexpr std::size_t kNearestRegisters = 2;  // of 8 points each, handled together

template <std::size_t kValue>
struct Count {
  static constexpr std::size_t value = kValue;
};

/// kCentroids centroids and 16 points; the twelve sums of six centroids leave registers for their terms.
template <std::size_t kCentroids>
inline void nearest_of(const float* points, const float* centroids, const float* half_norms,
                       std::size_t depth, std::uint32_t first, float* least, float* second,
                       std::uint32_t* number) noexcept {
  __m256 scores[kCentroids][kNearestRegisters];
#pragma GCC unroll 6
  for (std::size_t c = 0; c < kCentroids; ++c) {
    for (auto& score : scores[c]) score = _mm256_set1_ps(half_norms[c]);
  }
  for (std::size_t d = 0; d < depth; ++d) {
    const __m256 left = _mm256_load_ps(points + d * kBlockRows);
    const __m256 right = _mm256_load_ps(points + d * kBlockRows + 8);
#pragma GCC unroll 6
    for (std::size_t c = 0; c < kCentroids; ++c) {
      const __m256 value = _mm256_broadcast_ss(centroids + c * depth + d);
      scores[c][0] = _mm256_fnmadd_ps(left, value, scores[c][0]);
      scores[c][1] = _mm256_fnmadd_ps(right, value, scores[c][1]);
    }
  }
#pragma GCC unroll 2
  for (std::size_t v = 0; v < kNearestRegisters; ++v) {
    __m256 best = _mm256_load_ps(least + v * 8);
    __m256 next = _mm256_load_ps(second + v * 8);
    __m256 best_number = _mm256_load_ps(reinterpret_cast<const float*>(number + v * 8));
#pragma GCC unroll 6
    for (std::size_t c = 0; c < kCentroids; ++c) {
      const __m256 nearer = _mm256_cmp_ps(scores[c][v], best, _CMP_LT_OQ);
      next = _mm256_min_ps(_mm256_max_ps(best, scores[c][v]), next);
      best = _mm256_min_ps(scores[c][v], best);
      const __m256i this_number = _mm256_set1_epi32(static_cast<int>(first + c));
      best_number = _mm256_blendv_ps(best_number, _mm256_castsi256_ps(this_number), nearer);
    }
    _mm256_store_ps(least + v * 8, best);
    _mm256_store_ps(second + v * 8, next);
    _mm256_store_ps(reinterpret_cast<float*>(number + v * 8), best_number);
  }
}

[[maybe_unused]] void nearest_centroids(const float* points, const float* centroids, const float* half_norms,
                                        std::size_t count, std::size_t depth, std::uint32_t first,
                                        Nearest& nearest) noexcept {
  for (std::size_t i = 0; i < kBlockRows; i += kNearestRegisters * 8) {
    std::size_t c = 0;
    const auto run = [&](auto many) {
      constexpr std::size_t kCentroids = decltype(many)::value;
      for (; c + kCentroids <= count; c += kCentroids) {
        nearest_of<kCentroids>(points + i, centroids + c * depth, half_norms + c, depth,
                               first + static_cast<std::uint32_t>(c), nearest.least + i, nearest.second + i,
                               nearest.number + i);
      }
    };
    run(Count<6>{});
    run(Count<4>{});
    run(Count<1>{});
  }
}

[[maybe_unused]] void sign_bits(const float* values, const float* offsets, std::size_t count,
                                std::uint8_t* bits) noexcept {
  for (std::size_t i = 0; i < count; i += 8) {
    const std::size_t left = count - i < 8 ? count - i : 8;
    const __m256 sums = _mm256_add_ps(load_partial(values + i, left), load_partial(offsets + i, left));
    bits[i / 8] =
        static_cast<std::uint8_t>(_mm256_movemask_ps(_mm256_cmp_ps(sums, _mm256_setzero_ps(), _CMP_GT_OQ)));
  }
}

}  // namespace
}  // namespace medretrieval::kernels
