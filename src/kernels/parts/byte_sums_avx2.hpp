// Byte sums of whole blocks of 4-bit codes with 256-bit registers.
#pragma once

#include <immintrin.h>

#include "kernels/parts/scan.hpp"

namespace medretrieval::kernels {
namespace {

/// The sums of 32 rows of a block.
inline __m256i byte_sums_of32(const std::uint8_t* codes, const std::uint8_t* tables,
                              std::size_t pairs) noexcept {
  const __m256i low_half = _mm256_set1_epi8(15);
  __m256i even = _mm256_setzero_si256();
  __m256i odd = _mm256_setzero_si256();
  for (std::size_t p = 0; p < pairs; ++p) {
    const auto* table = reinterpret_cast<const __m128i*>(tables + p * 32);
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes + p * kBlockRows));
    const __m256i low = _mm256_and_si256(bytes, low_half);
    const __m256i high = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), low_half);
    const __m256i even_table = _mm256_broadcastsi128_si256(_mm_loadu_si128(table));
    const __m256i odd_table = _mm256_broadcastsi128_si256(_mm_loadu_si128(table + 1));
    even = _mm256_adds_epu8(even, _mm256_shuffle_epi8(even_table, low));
    odd = _mm256_adds_epu8(odd, _mm256_shuffle_epi8(odd_table, high));
  }
  return _mm256_adds_epu8(even, odd);
}

[[maybe_unused]] void byte_sums(const std::uint8_t* blocks, std::size_t count, const std::uint8_t* tables,
                                std::size_t subspaces, std::uint8_t* sums) noexcept {
  const std::size_t pairs = (subspaces + 1) / 2;
  for (std::size_t i = 0; i < count * kBlockRows; i += 32) {
    const std::uint8_t* codes = blocks + i / kBlockRows * pairs * kBlockRows + i % kBlockRows;
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums + i), byte_sums_of32(codes, tables, pairs));
  }
}

[[maybe_unused]] std::size_t sums_up_to(const std::uint8_t* sums, std::size_t count, std::uint8_t bound,
                                        std::uint64_t* masks) noexcept {
  const __m256i most = _mm256_set1_epi8(static_cast<char>(bound));
  const auto up_to = [&](const std::uint8_t* values) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(values));
    const __m256i keep = _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, most), bytes);
    return std::uint64_t{static_cast<std::uint32_t>(_mm256_movemask_epi8(keep))};
  };
  std::size_t found = 0;
  for (std::size_t b = 0; b < count; ++b) {
    masks[b] = up_to(sums + b * kBlockRows) | up_to(sums + b * kBlockRows + 32) << 32;
    found += static_cast<std::size_t>(_mm_popcnt_u64(masks[b]));
  }
  return found;
}

}  // namespace
}  // namespace medretrieval::kernels
