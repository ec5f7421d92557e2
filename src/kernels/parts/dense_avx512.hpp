// Row distances and matrix tiles with 512-bit registers.
#pragma once

#include <immintrin.h>

#include "kernels/kernel_table.hpp"
#include "kernels/parts/prefetch.hpp"

namespace medretrieval::kernels {
namespace {

inline float sum_lanes(__m512 lanes) noexcept {
  const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(lanes), _mm512_extractf32x8_ps(lanes, 1));
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

inline __m512 load16(const float* values) noexcept {
  return _mm512_loadu_ps(values);
}
inline __m512 load16(const std::uint16_t* halves) noexcept {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(halves)));
}
/// The marked values, zeros elsewhere.
inline __m512 load16(const float* values, __mmask16 inside) noexcept {
  return _mm512_maskz_loadu_ps(inside, values);
}
inline __m512 load16(const std::uint16_t* halves, __mmask16 inside) noexcept {
  return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(inside, halves));
}

/// A row: load(d) gives its 16 values from d on, load(d, inside) the marked ones of them and zeros.
template <class Value>
struct Row {
  explicit Row(const Value* row) noexcept : values(row) {}
  __m512 load(std::size_t d) const noexcept { return load16(values + d); }
  __m512 load(std::size_t d, __mmask16 inside) const noexcept { return load16(values + d, inside); }
  const Value* values;
};

template <>
struct Row<std::uint8_t> {
  explicit Row(const std::uint8_t* row) noexcept : bytes(row + kByteRowHead) {
    float head[2];
    __builtin_memcpy(head, row, sizeof head);
    least = _mm512_set1_ps(head[0]);
    step = _mm512_set1_ps(head[1]);
  }
  __m512 load(std::size_t d) const noexcept {
    const __m128i values = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + d));
    return _mm512_fmadd_ps(_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(values)), step, least);
  }
  __m512 load(std::size_t d, __mmask16 inside) const noexcept {
    const __m128i values = _mm_maskz_loadu_epi8(inside, bytes + d);
    return _mm512_maskz_fmadd_ps(inside, _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(values)), step, least);
  }
  const std::uint8_t* bytes;
  __m512 least;
  __m512 step;
};

/// Stands for a query that is not looked at.
struct NoQuery {
  static __m512 load(std::size_t) noexcept { return _mm512_setzero_ps(); }
  static __m512 load(std::size_t, __mmask16) noexcept { return _mm512_setzero_ps(); }
};

/// kRows rows at a time, so that their independent sums overlap.
template <std::size_t kRows, class Query, class Value, class Term>
inline void distances_of(const Query& query, const Row<Value>* rows, std::size_t dimension, float* out,
                         const Term& term) noexcept {
  __m512 sums[kRows];
  for (auto& sum : sums) sum = _mm512_setzero_ps();
  std::size_t d = 0;
  for (; d + 16 <= dimension; d += 16) {
    const __m512 q = query.load(d);
    for (std::size_t i = 0; i < kRows; ++i) sums[i] = term(q, rows[i].load(d), sums[i]);
  }
  if (d < dimension) {
    const auto inside = static_cast<__mmask16>((1U << (dimension - d)) - 1U);
    const __m512 q = query.load(d, inside);
    for (std::size_t i = 0; i < kRows; ++i) sums[i] = term(q, rows[i].load(d, inside), sums[i]);
  }
  for (std::size_t i = 0; i < kRows; ++i) out[i] = sum_lanes(sums[i]);
}

template <class Query, class Value, class Term>
inline void row_distances(const Query& query, const Value* base, std::size_t stride,
                          const std::uint32_t* indices, std::size_t count, std::size_t dimension, float* out,
                          const Term& term) noexcept {
  const auto row = [=](std::size_t i) { return base + (indices == nullptr ? i : indices[i]) * stride; };
  std::size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    if (indices != nullptr) {
      for (std::size_t ahead = i + 8; ahead < i + 12 && ahead < count; ++ahead)
        prefetch(row(ahead), dimension);
    }
    const Row<Value> rows[4] = {Row<Value>(row(i)), Row<Value>(row(i + 1)), Row<Value>(row(i + 2)),
                                Row<Value>(row(i + 3))};
    distances_of<4>(query, rows, dimension, out + i, term);
  }
  for (; i < count; ++i) {
    const Row<Value> rows[1] = {Row<Value>(row(i))};
    distances_of<1>(query, rows, dimension, out + i, term);
  }
}

template <class Value>
void l2_squared(const float* query, const Value* base, std::size_t stride, const std::uint32_t* indices,
                std::size_t count, std::size_t dimension, float* out) noexcept {
  row_distances(Row<float>(query), base, stride, indices, count, dimension, out,
                [](__m512 a, __m512 b, __m512 sum) {
                  const __m512 difference = _mm512_sub_ps(a, b);
                  return _mm512_fmadd_ps(difference, difference, sum);
                });
}

template <class Value>
void inner_product(const float* query, const Value* base, std::size_t stride, const std::uint32_t* indices,
                   std::size_t count, std::size_t dimension, float* out) noexcept {
  row_distances(Row<float>(query), base, stride, indices, count, dimension, out,
                [](__m512 a, __m512 b, __m512 sum) { return _mm512_fmadd_ps(a, b, sum); });
}

template <class Value>
void row_squares(const Value* base, std::size_t stride, const std::uint32_t* indices, std::size_t count,
                 std::size_t dimension, float* out) noexcept {
  row_distances(NoQuery(), base, stride, indices, count, dimension, out,
                [](__m512, __m512 b, __m512 sum) { return _mm512_fmadd_ps(b, b, sum); });
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

template <std::size_t kPanels>
inline void multiply_panels(const float* a, const float* b, std::size_t panel_stride, std::size_t depth,
                            float* c) noexcept {
  __m512 sums[kPanels * 2];
  for (std::size_t v = 0; v < kPanels * 2; ++v) sums[v] = _mm512_loadu_ps(c + v * 16);
  for (std::size_t k = 0; k < depth; ++k) {
    const __m512 value = _mm512_set1_ps(a[k]);
    for (std::size_t v = 0; v < kPanels * 2; ++v) {
      const float* column = b + v / 2 * panel_stride + k * kTileCols + v % 2 * 16;
      sums[v] = _mm512_fmadd_ps(value, _mm512_loadu_ps(column), sums[v]);
    }
  }
  for (std::size_t v = 0; v < kPanels * 2; ++v) _mm512_storeu_ps(c + v * 16, sums[v]);
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
