// Row distances and matrix tiles with 256-bit registers.
#pragma once

#include <immintrin.h>

#include "kernels/kernel_table.hpp"
#include "kernels/parts/prefetch.hpp"

namespace medretrieval::kernels {
namespace {

inline __m256 load8(const float* values) noexcept {
  return _mm256_loadu_ps(values);
}
inline __m256 load8(const std::uint16_t* halves) noexcept {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(halves)));
}

/// All bits set in the first `count` (0 to 8) lanes.
inline __m256i first_lanes(std::size_t count) noexcept {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), lane);
}
/// The first `count` (0 to 8) values, then zeros.
inline __m256 load_partial(const float* values, std::size_t count) noexcept {
  return _mm256_maskload_ps(values, first_lanes(count));
}
inline __m256 load_partial(const std::uint16_t* halves, std::size_t count) noexcept {
  std::uint16_t padded[8] = {};
  for (std::size_t i = 0; i < count; ++i) padded[i] = halves[i];
  return load8(padded);
}

/// A row: load(d) gives its 8 values from d on, load(d, count) the first `count` of them and zeros.
template <class Value>
struct Row {
  explicit Row(const Value* row) noexcept : values(row) {}
  __m256 load(std::size_t d) const noexcept { return load8(values + d); }
  __m256 load(std::size_t d, std::size_t count) const noexcept { return load_partial(values + d, count); }
  const Value* values;
};

template <>
struct Row<std::uint8_t> {
  explicit Row(const std::uint8_t* row) noexcept : bytes(row + kByteRowHead) {
    float head[2];
    __builtin_memcpy(head, row, sizeof head);
    least = _mm256_set1_ps(head[0]);
    step = _mm256_set1_ps(head[1]);
  }
  __m256 load(std::size_t d) const noexcept { return decoded(bytes + d); }
  __m256 load(std::size_t d, std::size_t count) const noexcept {
    std::uint8_t padded[8] = {};
    for (std::size_t i = 0; i < count; ++i) padded[i] = bytes[d + i];
    return _mm256_and_ps(decoded(padded), _mm256_castsi256_ps(first_lanes(count)));
  }
  __m256 decoded(const std::uint8_t* eight) const noexcept {
    const __m128i values = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(eight));
    return _mm256_fmadd_ps(_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(values)), step, least);
  }
  const std::uint8_t* bytes;
  __m256 least;
  __m256 step;
};

/// Stands for a query that is not looked at.
struct NoQuery {
  static __m256 load(std::size_t) noexcept { return _mm256_setzero_ps(); }
  static __m256 load(std::size_t, std::size_t) noexcept { return _mm256_setzero_ps(); }
};

inline float sum_lanes(__m256 low, __m256 high) noexcept {
  const __m256 eight = _mm256_add_ps(low, high);
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

template <class Query, class Value, class Term>
inline void row_distances(const Query& query, const Value* base, std::size_t stride,
                          const std::uint32_t* indices, std::size_t count, std::size_t dimension, float* out,
                          const Term& term) noexcept {
  const std::size_t whole = dimension / 16 * 16;
  const std::size_t rest = dimension - whole;
  const std::size_t rest_low = rest < 8 ? rest : 8;
  for (std::size_t i = 0; i < count; ++i) {
    const Row<Value> row(base + (indices == nullptr ? i : indices[i]) * stride);
    if (indices != nullptr && i + 8 < count) prefetch(base + indices[i + 8] * stride, dimension);
    __m256 low = _mm256_setzero_ps();
    __m256 high = _mm256_setzero_ps();
    for (std::size_t d = 0; d < whole; d += 16) {
      low = term(query.load(d), row.load(d), low);
      high = term(query.load(d + 8), row.load(d + 8), high);
    }
    if (rest != 0) {
      low = term(query.load(whole, rest_low), row.load(whole, rest_low), low);
      high = term(query.load(whole + rest_low, rest - rest_low), row.load(whole + rest_low, rest - rest_low),
                  high);
    }
    out[i] = sum_lanes(low, high);
  }
}

template <class Value>
void l2_squared(const float* query, const Value* base, std::size_t stride, const std::uint32_t* indices,
                std::size_t count, std::size_t dimension, float* out) noexcept {
  row_distances(Row<float>(query), base, stride, indices, count, dimension, out,
                [](__m256 a, __m256 b, __m256 sum) {
                  const __m256 difference = _mm256_sub_ps(a, b);
                  return _mm256_fmadd_ps(difference, difference, sum);
                });
}

template <class Value>
void inner_product(const float* query, const Value* base, std::size_t stride, const std::uint32_t* indices,
                   std::size_t count, std::size_t dimension, float* out) noexcept {
  row_distances(Row<float>(query), base, stride, indices, count, dimension, out,
                [](__m256 a, __m256 b, __m256 sum) { return _mm256_fmadd_ps(a, b, sum); });
}

template <class Value>
void row_squares(const Value* base, std::size_t stride, const std::uint32_t* indices, std::size_t count,
                 std::size_t dimension, float* out) noexcept {
  row_distances(NoQuery(), base, stride, indices, count, dimension, out,
                [](__m256, __m256 b, __m256 sum) { return _mm256_fmadd_ps(b, b, sum); });
}

constexpr std::size_t kTileRows = 6;
constexpr std::size_t kTileCols = 16;

[[maybe_unused]] void multiply_tile(const float* a, const float* b, std::size_t depth, float* c,
                                    std::size_t c_stride) noexcept {
  __m256 sums[kTileRows][2];
  for (std::size_t i = 0; i < kTileRows; ++i) {
    sums[i][0] = _mm256_loadu_ps(c + i * c_stride);
    sums[i][1] = _mm256_loadu_ps(c + i * c_stride + 8);
  }
  for (std::size_t k = 0; k < depth; ++k) {
    const __m256 left = _mm256_loadu_ps(b + k * kTileCols);
    const __m256 right = _mm256_loadu_ps(b + k * kTileCols + 8);
#pragma GCC unroll 6
    for (std::size_t i = 0; i < kTileRows; ++i) {
      const __m256 value = _mm256_broadcast_ss(a + k * kTileRows + i);
      sums[i][0] = _mm256_fmadd_ps(value, left, sums[i][0]);
      sums[i][1] = _mm256_fmadd_ps(value, right, sums[i][1]);
    }
  }
  for (std::size_t i = 0; i < kTileRows; ++i) {
    _mm256_storeu_ps(c + i * c_stride, sums[i][0]);
    _mm256_storeu_ps(c + i * c_stride + 8, sums[i][1]);
  }
}

template <std::size_t kPanels>
inline void multiply_panels(const float* a, const float* b, std::size_t panel_stride, std::size_t depth,
                            float* c) noexcept {
  __m256 sums[kPanels * 2];
  for (std::size_t v = 0; v < kPanels * 2; ++v) sums[v] = _mm256_loadu_ps(c + v * 8);
  for (std::size_t k = 0; k < depth; ++k) {
    const __m256 value = _mm256_broadcast_ss(a + k);
    for (std::size_t v = 0; v < kPanels * 2; ++v) {
      const float* column = b + v / 2 * panel_stride + k * kTileCols + v % 2 * 8;
      sums[v] = _mm256_fmadd_ps(value, _mm256_loadu_ps(column), sums[v]);
    }
  }
  for (std::size_t v = 0; v < kPanels * 2; ++v) _mm256_storeu_ps(c + v * 8, sums[v]);
}

[[maybe_unused]] void multiply_row(const float* a, const float* b, std::size_t panel_stride,
                                   std::size_t panels, std::size_t depth, float* c) noexcept {
  std::size_t p = 0;
  for (; p + 4 <= panels; p += 4) {
    multiply_panels<4>(a, b + p * panel_stride, panel_stride, depth, c + p * kTileCols);
  }
  for (; p < panels; ++p) multiply_panels<1>(a, b + p * panel_stride, panel_stride, depth, c + p * kTileCols);
}

}  // namespace
}  // namespace medretrieval::kernels
