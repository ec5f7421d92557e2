// AVX2 and FMA. See kernel_table.hpp for layouts and the fixed orders of floating point.
#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/kernel_table.hpp"

namespace medretrieval::kernels {
namespace {

inline std::uint64_t mask_of(const BlockSpan& span, std::size_t block) noexcept {
  return span.masks == nullptr ? ~std::uint64_t{0} : span.masks[block];
}

/// Appends the rows of `keep`; distances[r] is row r's.
template <class Distance>
inline void append(const Distance* distances, std::uint64_t keep, std::uint32_t first_row,
                   Survivors& out) noexcept {
  for (; keep != 0; keep &= keep - 1) {
    const auto row = static_cast<std::size_t>(__builtin_ctzll(keep));
    out.rows[out.count] = first_row + static_cast<std::uint32_t>(row);
    out.distances[out.count] = static_cast<float>(distances[row]);
    ++out.count;
  }
}

/// Bits set in each 64-bit lane.
inline __m256i popcount64(__m256i value) noexcept {
  const __m256i counts = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,  //
                                          0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  const __m256i low_half = _mm256_set1_epi8(15);
  const __m256i low = _mm256_shuffle_epi8(counts, _mm256_and_si256(value, low_half));
  const __m256i high = _mm256_shuffle_epi8(counts, _mm256_and_si256(_mm256_srli_epi16(value, 4), low_half));
  return _mm256_sad_epu8(_mm256_add_epi8(low, high), _mm256_setzero_si256());
}

template <bool kWeighted>
inline std::size_t hamming_scan(const BlockSpan& span, const std::uint64_t* query,
                                const std::uint32_t* weights, std::size_t words, std::uint32_t threshold,
                                Survivors& out) noexcept {
  alignas(32) std::uint64_t distances[kBlockRows];
  const __m256i limit = _mm256_set1_epi64x(threshold);
  std::size_t block = 0;
  for (; block < span.count && out.capacity - out.count >= kBlockRows; ++block) {
    const std::uint64_t mask = mask_of(span, block);
    if (mask == 0) continue;
    const std::uint8_t* codes = span.blocks + block * words * kBlockRows * 8;
    std::uint64_t above = 0;
    for (std::size_t r = 0; r < kBlockRows; r += 4) {
      __m256i sum = _mm256_setzero_si256();
      for (std::size_t w = 0; w < words; ++w) {
        const __m256i code =
            _mm256_load_si256(reinterpret_cast<const __m256i*>(codes + (w * kBlockRows + r) * 8));
        __m256i bits =
            popcount64(_mm256_xor_si256(code, _mm256_set1_epi64x(static_cast<long long>(query[w]))));
        if constexpr (kWeighted) bits = _mm256_mul_epu32(bits, _mm256_set1_epi64x(weights[w]));
        sum = _mm256_add_epi64(sum, bits);
      }
      _mm256_store_si256(reinterpret_cast<__m256i*>(distances + r), sum);
      const int greater = _mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpgt_epi64(sum, limit)));
      above |= static_cast<std::uint64_t>(greater) << r;
    }
    append(distances, mask & ~above, span.first_row + static_cast<std::uint32_t>(block * kBlockRows), out);
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
  alignas(32) std::uint32_t distances[kBlockRows];
  const __m256i code = _mm256_set1_epi32(static_cast<int>(query));
  const __m256i counts = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,  //
                                          0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  const __m256i low_half = _mm256_set1_epi8(15);
  // No code is further than 32, so a larger threshold admits all and fits a signed comparison.
  const __m256i limit = _mm256_set1_epi32(threshold < 32 ? static_cast<int>(threshold) : 32);
  std::size_t block = 0;
  for (; block < span.count && out.capacity - out.count >= kBlockRows; ++block) {
    const std::uint64_t mask = mask_of(span, block);
    if (mask == 0) continue;
    const std::uint8_t* codes = span.blocks + block * kBlockRows * 4;
    std::uint64_t above = 0;
    for (std::size_t r = 0; r < kBlockRows; r += 8) {
      const __m256i value =
          _mm256_xor_si256(_mm256_load_si256(reinterpret_cast<const __m256i*>(codes + r * 4)), code);
      const __m256i low = _mm256_shuffle_epi8(counts, _mm256_and_si256(value, low_half));
      const __m256i high =
          _mm256_shuffle_epi8(counts, _mm256_and_si256(_mm256_srli_epi16(value, 4), low_half));
      const __m256i pairs = _mm256_maddubs_epi16(_mm256_add_epi8(low, high), _mm256_set1_epi8(1));
      const __m256i sum = _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
      _mm256_store_si256(reinterpret_cast<__m256i*>(distances + r), sum);
      const int greater = _mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpgt_epi32(sum, limit)));
      above |= static_cast<std::uint64_t>(greater) << r;
    }
    append(distances, mask & ~above, span.first_row + static_cast<std::uint32_t>(block * kBlockRows), out);
  }
  return block;
}

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

std::size_t adc8(const BlockSpan& span, const float* tables, std::size_t subspaces, float threshold,
                 Survivors& out) noexcept {
  alignas(32) float distances[kBlockRows];
  std::size_t block = 0;
  for (; block < span.count && out.capacity - out.count >= kBlockRows; ++block) {
    const std::uint64_t mask = mask_of(span, block);
    if (mask == 0) continue;
    const std::uint8_t* codes = span.blocks + block * subspaces * kBlockRows;
    const std::uint64_t keep = adc_block(subspaces, threshold, distances, [=](std::size_t m, std::size_t r) {
      const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(codes + m * kBlockRows + r));
      return _mm256_i32gather_ps(tables + m * 256, _mm256_cvtepu8_epi32(bytes), 4);
    });
    append(distances, mask & keep, span.first_row + static_cast<std::uint32_t>(block * kBlockRows), out);
  }
  return block;
}

std::size_t adc4(const BlockSpan& span, const float* tables, std::size_t subspaces, float threshold,
                 Survivors& out) noexcept {
  alignas(32) float distances[kBlockRows];
  std::size_t block = 0;
  for (; block < span.count && out.capacity - out.count >= kBlockRows; ++block) {
    const std::uint64_t mask = mask_of(span, block);
    if (mask == 0) continue;
    const std::uint8_t* codes = span.blocks + block * ((subspaces + 1) / 2) * kBlockRows;
    const std::uint64_t keep = adc_block(subspaces, threshold, distances, [=](std::size_t m, std::size_t r) {
      const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(codes + m / 2 * kBlockRows + r));
      const __m256i both = _mm256_cvtepu8_epi32(bytes);
      const __m256i entry =
          m % 2 == 0 ? _mm256_and_si256(both, _mm256_set1_epi32(15)) : _mm256_srli_epi32(both, 4);
      const __m256 below8 = _mm256_permutevar8x32_ps(_mm256_loadu_ps(tables + m * 16), entry);
      const __m256 from8 = _mm256_permutevar8x32_ps(_mm256_loadu_ps(tables + m * 16 + 8), entry);
      return _mm256_blendv_ps(below8, from8, _mm256_castsi256_ps(_mm256_slli_epi32(entry, 28)));
    });
    append(distances, mask & keep, span.first_row + static_cast<std::uint32_t>(block * kBlockRows), out);
  }
  return block;
}

/// The first `count` (0 to 8) floats, then zeros.
inline __m256 load_partial(const float* values, std::size_t count) noexcept {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const __m256i inside = _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), lane);
  return _mm256_maskload_ps(values, inside);
}

inline float sum_lanes(__m256 low, __m256 high) noexcept {
  const __m256 eight = _mm256_add_ps(low, high);
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

template <class Term>
inline void row_distances(const float* query, const float* base, std::size_t stride,
                          const std::uint32_t* indices, std::size_t count, std::size_t dimension, float* out,
                          const Term& term) noexcept {
  const std::size_t whole = dimension / 16 * 16;
  const std::size_t rest = dimension - whole;
  const std::size_t rest_low = rest < 8 ? rest : 8;
  for (std::size_t i = 0; i < count; ++i) {
    const float* row = base + (indices == nullptr ? i : indices[i]) * stride;
    __m256 low = _mm256_setzero_ps();
    __m256 high = _mm256_setzero_ps();
    for (std::size_t d = 0; d < whole; d += 16) {
      low = term(_mm256_loadu_ps(query + d), _mm256_loadu_ps(row + d), low);
      high = term(_mm256_loadu_ps(query + d + 8), _mm256_loadu_ps(row + d + 8), high);
    }
    if (rest != 0) {
      low = term(load_partial(query + whole, rest_low), load_partial(row + whole, rest_low), low);
      high = term(load_partial(query + whole + rest_low, rest - rest_low),
                  load_partial(row + whole + rest_low, rest - rest_low), high);
    }
    out[i] = sum_lanes(low, high);
  }
}

void l2_squared(const float* query, const float* base, std::size_t stride, const std::uint32_t* indices,
                std::size_t count, std::size_t dimension, float* out) noexcept {
  row_distances(query, base, stride, indices, count, dimension, out, [](__m256 a, __m256 b, __m256 sum) {
    const __m256 difference = _mm256_sub_ps(a, b);
    return _mm256_fmadd_ps(difference, difference, sum);
  });
}

void inner_product(const float* query, const float* base, std::size_t stride, const std::uint32_t* indices,
                   std::size_t count, std::size_t dimension, float* out) noexcept {
  row_distances(query, base, stride, indices, count, dimension, out,
                [](__m256 a, __m256 b, __m256 sum) { return _mm256_fmadd_ps(a, b, sum); });
}

constexpr std::size_t kTileRows = 6;
constexpr std::size_t kTileCols = 16;

void multiply_tile(const float* a, const float* b, std::size_t depth, float* c,
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

}  // namespace

const KernelTable kAvx2Kernels = {"avx2",     hamming,       hamming32,     adc8,      adc4,
                                  l2_squared, inner_product, multiply_tile, kTileRows, kTileCols};

}  // namespace medretrieval::kernels
