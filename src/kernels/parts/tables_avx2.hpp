// Lookup tables: their entries, ranges and quantization with 256-bit registers.
#pragma once

#include <immintrin.h>

#include "kernels/parts/scan.hpp"

namespace medretrieval::kernels {
namespace {

/// The entries of kBatches * 8 centroids of a subspace.
template <std::size_t kBatches>
inline void entries_of(const float* query, const float* values, std::size_t first, std::size_t last,
                       std::size_t entries, float* out) noexcept {
  __m256 sums[kBatches];
  for (auto& sum : sums) sum = _mm256_setzero_ps();
  for (std::size_t d = first; d < last; ++d) {
    const __m256 value = _mm256_set1_ps(query[d]);
    for (std::size_t b = 0; b < kBatches; ++b) {
      const __m256 difference = _mm256_sub_ps(value, _mm256_loadu_ps(values + d * entries + b * 8));
      sums[b] = _mm256_fmadd_ps(difference, difference, sums[b]);
    }
  }
  for (std::size_t b = 0; b < kBatches; ++b) _mm256_storeu_ps(out + b * 8, sums[b]);
}

[[maybe_unused]] void entry_distances(const float* query, const float* values, const std::size_t* starts,
                                      std::size_t subspaces, std::size_t entries, float* out) noexcept {
  for (std::size_t m = 0; m < subspaces; ++m, out += entries) {
    std::size_t j = 0;
    for (; j + 64 <= entries; j += 64) {
      entries_of<8>(query, values + j, starts[m], starts[m + 1], entries, out + j);
    }
    for (; j < entries; j += 16) {
      entries_of<2>(query, values + j, starts[m], starts[m + 1], entries, out + j);
    }
  }
}

[[maybe_unused]] void table_ranges(const float* tables, std::size_t count, std::size_t size, float* least,
                                   float* largest) noexcept {
  for (std::size_t m = 0; m < count; ++m) {
    const float* table = tables + m * size;
    __m256 low = _mm256_loadu_ps(table);
    __m256 high = low;
    for (std::size_t j = 8; j < size; j += 8) {
      const __m256 entries = _mm256_loadu_ps(table + j);
      low = _mm256_min_ps(low, entries);
      high = _mm256_max_ps(high, entries);
    }
    __m128 low4 = _mm_min_ps(_mm256_castps256_ps128(low), _mm256_extractf128_ps(low, 1));
    __m128 high4 = _mm_max_ps(_mm256_castps256_ps128(high), _mm256_extractf128_ps(high, 1));
    low4 = _mm_min_ps(low4, _mm_movehl_ps(low4, low4));
    high4 = _mm_max_ps(high4, _mm_movehl_ps(high4, high4));
    least[m] = _mm_cvtss_f32(_mm_min_ss(low4, _mm_movehdup_ps(low4)));
    largest[m] = _mm_cvtss_f32(_mm_max_ss(high4, _mm_movehdup_ps(high4)));
  }
}

[[maybe_unused]] void quantize_tables(const float* tables, std::size_t count, std::size_t size,
                                      const float* least, float scale, float largest,
                                      std::uint8_t* out) noexcept {
  const __m256 factor = _mm256_set1_ps(scale);
  const __m256 most = _mm256_set1_ps(largest);
  for (std::size_t m = 0; m < count; ++m) {
    const __m256 from = _mm256_set1_ps(least[m]);
    const auto levels = [&](std::size_t j) {
      const __m256 level = _mm256_mul_ps(_mm256_sub_ps(_mm256_loadu_ps(tables + j), from), factor);
      return _mm256_cvttps_epi32(_mm256_min_ps(level, most));
    };
    for (std::size_t j = m * size; j < (m + 1) * size; j += 16) {
      const __m256i first = levels(j);
      const __m256i second = levels(j + 8);
      const __m128i words_first =
          _mm_packs_epi32(_mm256_castsi256_si128(first), _mm256_extracti128_si256(first, 1));
      const __m128i words_second =
          _mm_packs_epi32(_mm256_castsi256_si128(second), _mm256_extracti128_si256(second, 1));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out + j), _mm_packus_epi16(words_first, words_second));
    }
  }
}

}  // namespace
}  // namespace medretrieval::kernels
