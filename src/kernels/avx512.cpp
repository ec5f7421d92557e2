// AVX-512 F, BW, DQ and VL. See kernel_table.hpp for layouts and the fixed orders of floating point.
#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/kernel_table.hpp"

namespace medretrieval::kernels {
namespace {

inline std::uint64_t mask_of(const BlockSpan& span, std::size_t block) noexcept {
  return span.masks == nullptr ? ~std::uint64_t{0} : span.masks[block];
}

/// Appends the 16 rows from `first_row` that `keep` marks.
inline void append16(__m512 distances, __mmask16 keep, std::uint32_t first_row, Survivors& out) noexcept {
  if (keep == 0) return;
  const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512i rows = _mm512_add_epi32(lane, _mm512_set1_epi32(static_cast<int>(first_row)));
  _mm512_mask_compressstoreu_epi32(out.rows + out.count, keep, rows);
  _mm512_mask_compressstoreu_ps(out.distances + out.count, keep, distances);
  out.count += static_cast<std::size_t>(__builtin_popcount(keep));
}

/// Bits set in each byte.
inline __m512i popcount8(__m512i value) noexcept {
  const __m512i counts =
      _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
  const __m512i low_half = _mm512_set1_epi8(15);
  const __m512i low = _mm512_shuffle_epi8(counts, _mm512_and_si512(value, low_half));
  const __m512i high = _mm512_shuffle_epi8(counts, _mm512_and_si512(_mm512_srli_epi16(value, 4), low_half));
  return _mm512_add_epi8(low, high);
}

template <bool kWeighted>
inline __m512i distance8(const std::uint8_t* codes, const std::uint64_t* query, const std::uint32_t* weights,
                         std::size_t words) noexcept {
  __m512i sum = _mm512_setzero_si512();
  for (std::size_t w = 0; w < words; ++w) {
    const __m512i code = _mm512_load_si512(codes + w * kBlockRows * 8);
    const __m512i different = _mm512_xor_si512(code, _mm512_set1_epi64(static_cast<long long>(query[w])));
    __m512i bits = _mm512_sad_epu8(popcount8(different), _mm512_setzero_si512());
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
      const __m512i bytes = popcount8(_mm512_xor_si512(_mm512_load_si512(codes + r * 4), code));
      const __m512i sum =
          _mm512_madd_epi16(_mm512_maddubs_epi16(bytes, _mm512_set1_epi8(1)), _mm512_set1_epi16(1));
      const __mmask16 keep = _mm512_mask_cmple_epu32_mask(static_cast<__mmask16>(mask >> r), sum, limit);
      append16(_mm512_cvtepi32_ps(sum), keep, first_row + r, out);
    }
  }
  return block;
}

/// Sums of 16 rows over all subspaces in 16 lanes; lookup(m) gives the entries of subspace m.
template <class Lookup>
inline __m512 adc_sum(std::size_t subspaces, const Lookup& lookup) noexcept {
  __m512 lanes[16];
#pragma GCC unroll 16
  for (std::size_t j = 0; j < 16; ++j) lanes[j] = j < subspaces ? lookup(j) : _mm512_setzero_ps();
  for (std::size_t m = 16; m < subspaces; m += 16) {
#pragma GCC unroll 16
    for (std::size_t j = 0; j < 16; ++j) {
      if (m + j < subspaces) lanes[j] = _mm512_add_ps(lanes[j], lookup(m + j));
    }
  }
#pragma GCC unroll 4
  for (std::size_t step = 8; step > 0; step /= 2) {
    for (std::size_t j = 0; j < step; ++j) lanes[j] = _mm512_add_ps(lanes[j], lanes[j + step]);
  }
  return lanes[0];
}

/// `lookup(codes, m)` gives the entries of the 16 rows at `codes`, already moved to the group's first row.
template <class Lookup>
inline std::size_t adc_scan(const BlockSpan& span, std::size_t block_bytes, std::size_t subspaces,
                            float threshold, Survivors& out, const Lookup& lookup) noexcept {
  const __m512 limit = _mm512_set1_ps(threshold);
  std::size_t block = 0;
  for (; block < span.count && out.capacity - out.count >= kBlockRows; ++block) {
    const std::uint64_t mask = mask_of(span, block);
    if (mask == 0) continue;
    const std::uint8_t* codes = span.blocks + block * block_bytes;
    const std::uint32_t first_row = span.first_row + static_cast<std::uint32_t>(block * kBlockRows);
    for (std::uint32_t r = 0; r < kBlockRows; r += 16) {
      const __m512 sum = adc_sum(subspaces, [&](std::size_t m) { return lookup(codes + r, m); });
      const __mmask16 keep =
          _mm512_mask_cmp_ps_mask(static_cast<__mmask16>(mask >> r), sum, limit, _CMP_LE_OQ);
      append16(sum, keep, first_row + r, out);
    }
  }
  return block;
}

std::size_t adc8(const BlockSpan& span, const float* tables, std::size_t subspaces, float threshold,
                 Survivors& out) noexcept {
  return adc_scan(
      span, subspaces * kBlockRows, subspaces, threshold, out, [=](const std::uint8_t* codes, std::size_t m) {
        const __m128i bytes = _mm_load_si128(reinterpret_cast<const __m128i*>(codes + m * kBlockRows));
        return _mm512_i32gather_ps(_mm512_cvtepu8_epi32(bytes), tables + m * 256, 4);
      });
}

std::size_t adc4(const BlockSpan& span, const float* tables, std::size_t subspaces, float threshold,
                 Survivors& out) noexcept {
  return adc_scan(span, (subspaces + 1) / 2 * kBlockRows, subspaces, threshold, out,
                  [=](const std::uint8_t* codes, std::size_t m) {
                    const __m128i bytes =
                        _mm_load_si128(reinterpret_cast<const __m128i*>(codes + m / 2 * kBlockRows));
                    const __m512i both = _mm512_cvtepu8_epi32(bytes);
                    // vpermps reads the low four bits of each index.
                    const __m512i entry = m % 2 == 0 ? both : _mm512_srli_epi32(both, 4);
                    return _mm512_permutexvar_ps(entry, _mm512_loadu_ps(tables + m * 16));
                  });
}

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

void l2_squared(const float* query, const float* base, std::size_t stride, const std::uint32_t* indices,
                std::size_t count, std::size_t dimension, float* out) noexcept {
  row_distances(query, base, stride, indices, count, dimension, out, [](__m512 a, __m512 b, __m512 sum) {
    const __m512 difference = _mm512_sub_ps(a, b);
    return _mm512_fmadd_ps(difference, difference, sum);
  });
}

void inner_product(const float* query, const float* base, std::size_t stride, const std::uint32_t* indices,
                   std::size_t count, std::size_t dimension, float* out) noexcept {
  row_distances(query, base, stride, indices, count, dimension, out,
                [](__m512 a, __m512 b, __m512 sum) { return _mm512_fmadd_ps(a, b, sum); });
}

constexpr std::size_t kTileRows = 12;
constexpr std::size_t kTileCols = 32;

void multiply_tile(const float* a, const float* b, std::size_t depth, float* c,
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

const KernelTable kAvx512Kernels = {"avx512",   hamming,       hamming32,     adc8,      adc4,
                                    l2_squared, inner_product, multiply_tile, kTileRows, kTileCols};

}  // namespace medretrieval::kernels
