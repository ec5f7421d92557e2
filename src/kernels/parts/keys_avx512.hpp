// Keys of distances with 512-bit registers.
#pragma once

#include <immintrin.h>

#include "kernels/kernel_table.hpp"

namespace medretrieval::kernels {
namespace {

/// The lanes below `count`, all of them from 16.
inline __mmask16 lanes_below(std::size_t count) noexcept {
  return count >= 16 ? __mmask16{0xffff} : static_cast<__mmask16>((1U << count) - 1U);
}

[[maybe_unused]] void key_range(const std::int32_t* keys, std::size_t count, std::int32_t& least,
                                std::int32_t& largest) noexcept {
  __m512i low = _mm512_set1_epi32(keys[0]);
  __m512i high = low;
  for (std::size_t i = 0; i < count; i += 16) {
    const __mmask16 inside = lanes_below(count - i);
    const __m512i here = _mm512_mask_loadu_epi32(low, inside, keys + i);
    low = _mm512_min_epi32(low, here);
    high = _mm512_mask_max_epi32(high, inside, high, here);
  }
  least = _mm512_reduce_min_epi32(low);
  largest = _mm512_reduce_max_epi32(high);
}

[[maybe_unused]] std::size_t count_keys(const std::int32_t* keys, std::size_t count,
                                        std::int32_t bound) noexcept {
  const __m512i limit = _mm512_set1_epi32(bound);
  std::size_t found = 0;
  for (std::size_t i = 0; i < count; i += 16) {
    const __mmask16 inside = lanes_below(count - i);
    const __m512i here = _mm512_maskz_loadu_epi32(inside, keys + i);
    found += static_cast<std::size_t>(__builtin_popcount(_mm512_mask_cmple_epi32_mask(inside, here, limit)));
  }
  return found;
}

[[maybe_unused]] std::size_t keep_keys(std::int32_t* keys, std::uint32_t* rows, std::uint32_t* sources,
                                       std::size_t count, std::int32_t bound) noexcept {
  const __m512i limit = _mm512_set1_epi32(bound);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < count; i += 16) {
    const __mmask16 inside = lanes_below(count - i);
    const __m512i key = _mm512_maskz_loadu_epi32(inside, keys + i);
    const __m512i row = _mm512_maskz_loadu_epi32(inside, rows + i);
    const __m512i source = _mm512_maskz_loadu_epi32(inside, sources + i);
    const __mmask16 keep = _mm512_mask_cmple_epi32_mask(inside, key, limit);
    const auto stay = static_cast<std::size_t>(__builtin_popcount(keep));
    const __mmask16 places = lanes_below(stay);
    _mm512_mask_storeu_epi32(keys + kept, places, _mm512_maskz_compress_epi32(keep, key));
    _mm512_mask_storeu_epi32(rows + kept, places, _mm512_maskz_compress_epi32(keep, row));
    _mm512_mask_storeu_epi32(sources + kept, places, _mm512_maskz_compress_epi32(keep, source));
    kept += stay;
  }
  return kept;
}

}  // namespace
}  // namespace medretrieval::kernels
