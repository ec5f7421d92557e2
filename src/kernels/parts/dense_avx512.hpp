// Row distances and matrix tiles with 512-bit registers.
#pragma once

#include <immintrin.h>

#include "kernels/kernel_table.hpp"

namespace medretrieval::kernels {
namespace {

inline float sum_lanes(__m512 lanes) noexcept {
  const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(lanes), _mm512_extractf32x8_ps(lanes, 1));
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

/// kRows rows at a time, so that their independent sums overlap.
template <std::size_t kRows, class Term>
inline void distances_of(const float* query, const float* const* rows, std::size_t dimension, float* out,
                         const Term& term) noexcept {
  __m512 sums[kRows];
  for (auto& sum : sums) sum = _mm512_setzero_ps();
  std::size_t d = 0;
  for (; d + 16 <= dimension; d += 16) {
    const __m512 q = _mm512_loadu_ps(query + d);
    for (std::size_t i = 0; i < kRows; ++i) sums[i] = term(q, _mm512_loadu_ps(rows[i] + d), sums[i]);
  }
  if (d < dimension) {
    const auto inside = static_cast<__mmask16>((1U << (dimension - d)) - 1U);
    const __m512 q = _mm512_maskz_loadu_ps(inside, query + d);
    for (std::size_t i = 0; i < kRows; ++i)
      sums[i] = term(q, _mm512_maskz_loadu_ps(inside, rows[i] + d), sums[i]);
  }
  for (std::size_t i = 0; i < kRows; ++i) out[i] = sum_lanes(sums[i]);
}

template <class Term>
inline void row_distances(const float* query, const float* base, std::size_t stride,
                          const std::uint32_t* indices, std::size_t count, std::size_t dimension, float* out,
                          const Term& term) noexcept {
  const auto row = [=](std::size_t i) { return base + (indices == nullptr ? i : indices[i]) * stride; };
  std::size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    const float* rows[4] = {row(i), row(i + 1), row(i + 2), row(i + 3)};
    distances_of<4>(query, rows, dimension, out + i, term);
  }
  for (; i < count; ++i) {
    const float* rows[1] = {row(i)};
    distances_of<1>(query, rows, dimension, out + i, term);
  }
}

[[maybe_unused]] void l2_squared(const float* query, const float* base, std::size_t stride,
                                 const std::uint32_t* indices, std::size_t count, std::size_t dimension,
                                 float* out) noexcept {
  row_distances(query, base, stride, indices, count, dimension, out, [](__m512 a, __m512 b, __m512 sum) {
    const __m512 difference = _mm512_sub_ps(a, b);
    return _mm512_fmadd_ps(difference, difference, sum);
  });
}

[[maybe_unused]] void inner_product(const float* query, const float* base, std::size_t stride,
                                    const std::uint32_t* indices, std::size_t count, std::size_t dimension,
                                    float* out) noexcept {
  row_distances(query, base, stride, indices, count, dimension, out,
                [](__m512 a, __m512 b, __m512 sum) { return _mm512_fmadd_ps(a, b, sum); });
}

constexpr std::size_t kTileRows = 12;
constexpr std::size_t kTileCols = 32;

[[maybe_unused]] void multiply_tile(const float* a, const float* b, std::size_t depth, float* c,
                                    std::size_t c_stride) noexcept {
  __m512 sums[kTileRows][2];
#pragma GCC unroll 12
  for (std::size_t i = 0; i < kTileRows; ++i) {
    sums[i][0] = _mm512_loadu_ps(c + i * c_stride);
    sums[i][1] = _mm512_loadu_ps(c + i * c_stride + 16);
  }
  for (std::size_t k = 0; k < depth; ++k) {
    const __m512 left = _mm512_loadu_ps(b + k * kTileCols);
    const __m512 right = _mm512_loadu_ps(b + k * kTileCols + 16);
#pragma GCC unroll 12
    for (std::size_t i = 0; i < kTileRows; ++i) {
      const __m512 value = _mm512_set1_ps(a[k * kTileRows + i]);
      sums[i][0] = _mm512_fmadd_ps(value, left, sums[i][0]);
      sums[i][1] = _mm512_fmadd_ps(value, right, sums[i][1]);
    }
  }
#pragma GCC unroll 12
  for (std::size_t i = 0; i < kTileRows; ++i) {
    _mm512_storeu_ps(c + i * c_stride, sums[i][0]);
    _mm512_storeu_ps(c + i * c_stride + 16, sums[i][1]);
  }
}
}  // namespace
}  // namespace medretrieval::kernels
