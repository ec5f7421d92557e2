// Packing, adding up and taking the signs of rows with 512-bit registers.
#pragma once

#include <immintrin.h>

#include "kernels/kernel_table.hpp"

namespace medretrieval::kernels {
namespace {

/// Four values from d of each of 16 rows, as four registers of one value of 16 rows. `inside` masks the
/// values that exist; rows from `count` on are zero.
inline void load_transposed(const float* rows, std::size_t stride, std::size_t count, __mmask8 inside,
                            __m512 (&columns)[4]) noexcept {
  const auto quad = [=](std::size_t i) {
    return i < count ? _mm_maskz_loadu_ps(inside, rows + i * stride) : _mm_setzero_ps();
  };
  __m512 mixed[4];  // register i: rows i, i + 4, i + 8, i + 12
#pragma GCC unroll 4
  for (std::size_t i = 0; i < 4; ++i) {
    mixed[i] = _mm512_castps128_ps512(quad(i));
    mixed[i] = _mm512_insertf32x4(mixed[i], quad(i + 4), 1);
    mixed[i] = _mm512_insertf32x4(mixed[i], quad(i + 8), 2);
    mixed[i] = _mm512_insertf32x4(mixed[i], quad(i + 12), 3);
  }
  const __m512 low_01 = _mm512_unpacklo_ps(mixed[0], mixed[1]);
  const __m512 high_01 = _mm512_unpackhi_ps(mixed[0], mixed[1]);
  const __m512 low_23 = _mm512_unpacklo_ps(mixed[2], mixed[3]);
  const __m512 high_23 = _mm512_unpackhi_ps(mixed[2], mixed[3]);
  columns[0] = _mm512_shuffle_ps(low_01, low_23, 0x44);
  columns[1] = _mm512_shuffle_ps(low_01, low_23, 0xee);
  columns[2] = _mm512_shuffle_ps(high_01, high_23, 0x44);
  columns[3] = _mm512_shuffle_ps(high_01, high_23, 0xee);
}

[[maybe_unused]] void pack_points(const float* rows, std::size_t stride, std::size_t count, const float* mean,
                                  std::size_t depth, float* points, float* square_norms) noexcept {
  for (std::size_t first = 0; first < kBlockRows; first += 16) {
    const std::size_t left = first < count ? count - first : 0;
    __m512 norms = _mm512_setzero_ps();
    for (std::size_t d = 0; d < depth; d += 4) {
      const std::size_t values = depth - d < 4 ? depth - d : 4;
      __m512 columns[4];
      load_transposed(rows + first * stride + d, stride, left, static_cast<__mmask8>((1U << values) - 1U),
                      columns);
      for (std::size_t j = 0; j < values; ++j) {
        const __m512 moved = _mm512_sub_ps(columns[j], _mm512_set1_ps(mean[d + j]));
        norms = _mm512_add_ps(norms, _mm512_mul_ps(moved, moved));
        _mm512_storeu_ps(points + (d + j) * kBlockRows + first, moved);
      }
    }
    _mm512_storeu_ps(square_norms + first, norms);
  }
}

/// sum[d] += row[d] for `width` values, in whole registers of falling size: a masked store could not be
/// forwarded to the load of the next row of the same group.
inline void add_row(const float* row, std::size_t width, double* sum) noexcept {
  for (; width >= 8; width -= 8, row += 8, sum += 8) {
    const __m512d values = _mm512_cvtps_pd(_mm256_loadu_ps(row));
    _mm512_storeu_pd(sum, _mm512_add_pd(_mm512_loadu_pd(sum), values));
  }
  if (width >= 4) {
    _mm256_storeu_pd(sum, _mm256_add_pd(_mm256_loadu_pd(sum), _mm256_cvtps_pd(_mm_loadu_ps(row))));
    width -= 4, row += 4, sum += 4;
  }
  if (width >= 2) {
    const __m128d values =
        _mm_cvtps_pd(_mm_castsi128_ps(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(row))));
    _mm_storeu_pd(sum, _mm_add_pd(_mm_loadu_pd(sum), values));
    width -= 2, row += 2, sum += 2;
  }
  if (width != 0) *sum += static_cast<double>(*row);
}

[[maybe_unused]] void add_rows(const float* rows, std::size_t stride, const std::uint32_t* groups,
                               std::size_t count, std::size_t width, double* sums,
                               std::size_t sums_stride) noexcept {
  for (std::size_t i = 0; i < count; ++i) add_row(rows + i * stride, width, sums + groups[i] * sums_stride);
}

[[maybe_unused]] void sign_bits(const float* values, const float* offsets, std::size_t count,
                                std::uint8_t* bits) noexcept {
  for (std::size_t i = 0; i < count; i += 16) {
    const std::size_t left = count - i;
    const auto inside = static_cast<__mmask16>(left < 16 ? (1U << left) - 1U : 0xffffU);
    const __m512 sums =
        _mm512_add_ps(_mm512_maskz_loadu_ps(inside, values + i), _mm512_maskz_loadu_ps(inside, offsets + i));
    const __mmask16 set = _mm512_cmp_ps_mask(sums, _mm512_setzero_ps(), _CMP_GT_OQ);
    bits[i / 8] = static_cast<std::uint8_t>(set);
    if (left > 8) bits[i / 8 + 1] = static_cast<std::uint8_t>(set >> 8);
  }
}

}  // namespace
}  // namespace medretrieval::kernels
