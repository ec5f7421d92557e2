// Quantized asymmetric distance of 8-bit codes with VBMI: a table of 256 bytes is two permutes over 128 bytes each.
#pragma once

#include "kernels/parts/quantized_avx512.hpp"

namespace medretrieval::kernels {
namespace {

[[maybe_unused]] std::size_t quantized_adc8(const BlockSpan& span, const std::uint8_t* tables,
                                            std::size_t subspaces, std::uint16_t limit,
                                            Survivors& out) noexcept {
  return for_each_block(span, subspaces * kBlockRows, out,
                        [&](const std::uint8_t* codes, std::uint64_t mask, std::uint32_t first_row) {
                          ByteSums512 sums;
                          for (std::size_t m = 0; m < subspaces; ++m) {
                            const std::uint8_t* table = tables + m * 256;
                            const __m512i entry = _mm512_load_si512(codes + m * kBlockRows);
                            const __m512i below = _mm512_permutex2var_epi8(_mm512_loadu_si512(table), entry,
                                                                           _mm512_loadu_si512(table + 64));
                            const __m512i above = _mm512_permutex2var_epi8(
                                _mm512_loadu_si512(table + 128), entry, _mm512_loadu_si512(table + 192));
                            sums.add(_mm512_mask_blend_epi8(_mm512_movepi8_mask(entry), below, above));
                          }
                          append_rows(sums.up_to(limit) & mask, first_row, out);
                        });
}

}  // namespace
}  // namespace medretrieval::kernels
