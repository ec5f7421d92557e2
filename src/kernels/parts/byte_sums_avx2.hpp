// Byte sums of whole blocks of 4-bit codes with 256-bit registers.
#pragma once

#include <immintrin.h>

#include "kernels/parts/quantized_avx2.hpp"

namespace medretrieval::kernels {
namespace {

/// The sums of 32 rows of a block.
inline __m256i byte_sums_of32(const std::uint8_t* codes, const std::uint8_t* tables,
                              std::size_t pairs) noexcept {
  __m256i even = _mm256_setzero_si256();
  __m256i odd = _mm256_setzero_si256();
  for (std::size_t p = 0; p < pairs; ++p) {
    const Entries256 entries = entries256(tables, p, codes + p * kBlockRows);
    even = _mm256_adds_epu8(even, entries.even);
    odd = _mm256_adds_epu8(odd, entries.odd);
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
    return bytes_up_to(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(values)), most);
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
