// Quantized asymmetric distance of 4-bit codes with 512-bit registers: 64 rows a shuffle.
#pragma once

#include <immintrin.h>

#include "kernels/parts/scan.hpp"

namespace medretrieval::kernels {
namespace {

/// 16-bit sums of bytes for 64 rows. Bytes of even rows are added in place; those of odd rows come along in the upper
/// halves of `all` and are taken off at the end.
class ByteSums512 {
 public:
  void add(__m512i bytes) noexcept {
    all_ = _mm512_add_epi16(all_, bytes);
    odd_ = _mm512_add_epi16(odd_, _mm512_srli_epi16(bytes, 8));
  }
  /// One bit a row whose sum is up to the limit.
  std::uint64_t up_to(std::uint16_t limit) const noexcept {
    const __m512i even = _mm512_sub_epi16(all_, _mm512_slli_epi16(odd_, 8));
    const __m512i most = _mm512_set1_epi16(static_cast<short>(limit));
    const __mmask32 even_rows = _mm512_cmple_epu16_mask(even, most);
    const __mmask32 odd_rows = _mm512_cmple_epu16_mask(odd_, most);
    if ((even_rows | odd_rows) == 0) return 0;
    return _pdep_u64(even_rows, 0x5555555555555555U) | _pdep_u64(odd_rows, 0xaaaaaaaaaaaaaaaaU);
  }

 private:
  __m512i all_ = _mm512_setzero_si512();
  __m512i odd_ = _mm512_setzero_si512();
};

[[maybe_unused]] std::size_t quantized_adc4(const BlockSpan& span, const std::uint8_t* tables,
                                            std::size_t subspaces, std::uint16_t limit,
                                            Survivors& out) noexcept {
  const std::size_t pairs = (subspaces + 1) / 2;
  const __m512i low_half = _mm512_set1_epi8(15);
  return for_each_block(
      span, pairs * kBlockRows, out,
      [&](const std::uint8_t* codes, std::uint64_t mask, std::uint32_t first_row) {
        ByteSums512 sums;
        for (std::size_t p = 0; p < pairs; ++p) {
          const __m512i both = _mm512_load_si512(codes + p * kBlockRows);
          const auto* table = reinterpret_cast<const __m128i*>(tables + p * 32);
          const __m512i even = _mm512_shuffle_epi8(_mm512_broadcast_i32x4(_mm_loadu_si128(table)),
                                                   _mm512_and_si512(both, low_half));
          const __m512i odd = _mm512_shuffle_epi8(_mm512_broadcast_i32x4(_mm_loadu_si128(table + 1)),
                                                  _mm512_and_si512(_mm512_srli_epi16(both, 4), low_half));
          sums.add(_mm512_add_epi8(even, odd));  // entries are below 128
        }
        append_rows(sums.up_to(limit) & mask, first_row, out);
      });
}

}  // namespace
}  // namespace medretrieval::kernels
