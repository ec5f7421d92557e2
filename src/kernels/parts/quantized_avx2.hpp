// Quantized asymmetric distance of 4-bit codes with 256-bit registers: 32 rows a shuffle.
#pragma once

#include <immintrin.h>

#include "kernels/parts/block_ahead.hpp"
#include "kernels/parts/scan.hpp"

namespace medretrieval::kernels {
namespace {

/// As in the 512-bit version, for 32 rows.
class ByteSums256 {
 public:
  void add(__m256i bytes) noexcept {
    all_ = _mm256_add_epi16(all_, bytes);
    odd_ = _mm256_add_epi16(odd_, _mm256_srli_epi16(bytes, 8));
  }
  std::uint64_t up_to(std::uint16_t limit) const noexcept {
    const __m256i even = _mm256_sub_epi16(all_, _mm256_slli_epi16(odd_, 8));
    const __m256i most = _mm256_set1_epi16(static_cast<short>(limit));
    // Unsigned: a value is up to the limit when it is the smaller of both.
    const __m256i even_rows = _mm256_cmpeq_epi16(_mm256_min_epu16(even, most), even);
    const __m256i odd_rows = _mm256_cmpeq_epi16(_mm256_min_epu16(odd_, most), odd_);
    const __m256i rows =
        _mm256_blendv_epi8(even_rows, odd_rows, _mm256_set1_epi16(static_cast<short>(0xff00)));
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(rows));
  }

 private:
  __m256i all_ = _mm256_setzero_si256();
  __m256i odd_ = _mm256_setzero_si256();
};

/// Entries of two subspaces for 32 rows.
struct Entries256 {
  __m256i even;
  __m256i odd;
};

/// Looks up the bytes at `codes` in the tables of the subspaces 2 `pair` and 2 `pair` + 1.
inline Entries256 entries256(const std::uint8_t* tables, std::size_t pair,
                             const std::uint8_t* codes) noexcept {
  const auto* table = reinterpret_cast<const __m128i*>(tables + pair * 32);
  const __m256i low_half = _mm256_set1_epi8(15);
  const __m256i both = _mm256_load_si256(reinterpret_cast<const __m256i*>(codes));
  return {_mm256_shuffle_epi8(_mm256_broadcastsi128_si256(_mm_loadu_si128(table)),
                              _mm256_and_si256(both, low_half)),
          _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(_mm_loadu_si128(table + 1)),
                              _mm256_and_si256(_mm256_srli_epi16(both, 4), low_half))};
}

/// One bit for each of 32 bytes that is up to `most`: it is then the smaller of both, unsigned.
inline std::uint64_t bytes_up_to(__m256i bytes, __m256i most) noexcept {
  const __m256i rows = _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, most), bytes);
  return static_cast<std::uint32_t>(_mm256_movemask_epi8(rows));
}

[[maybe_unused]] std::size_t quantized_adc4(const BlockSpan& span, const std::uint8_t* tables,
                                            std::size_t subspaces, std::uint16_t limit,
                                            Survivors& out) noexcept {
  const std::size_t pairs = (subspaces + 1) / 2;
  const BlockAhead ahead(span, pairs * kBlockRows);
  return for_each_block(
      span, pairs * kBlockRows, out,
      [&](const std::uint8_t* codes, std::uint64_t mask, std::uint32_t first_row) {
        ahead.ask(codes);
        ByteSums256 sums[2];
        const auto bytes_of = [&](std::size_t pair, std::size_t half) {
          const Entries256 entries = entries256(tables, pair, codes + pair * kBlockRows + half * 32);
          return _mm256_add_epi8(entries.even, entries.odd);
        };
        std::size_t p = 0;
        for (; p + 2 <= pairs; p += 2) {
#pragma GCC unroll 2
          for (std::size_t half = 0; half < 2; ++half) {
            sums[half].add(_mm256_add_epi8(bytes_of(p, half), bytes_of(p + 1, half)));
          }
        }
        if (p < pairs) {
          for (std::size_t half = 0; half < 2; ++half) sums[half].add(bytes_of(p, half));
        }
        append_rows((sums[0].up_to(limit) | sums[1].up_to(limit) << 32) & mask, first_row, out);
      });
}

[[maybe_unused]] std::size_t saturated_adc4(const BlockSpan& span, const std::uint8_t* tables,
                                            std::size_t subspaces, std::uint16_t limit,
                                            Survivors& out) noexcept {
  const std::size_t pairs = (subspaces + 1) / 2;
  const BlockAhead ahead(span, pairs * kBlockRows);
  const __m256i most = _mm256_set1_epi8(static_cast<char>(limit));
  const auto up_to = [&](__m256i even, __m256i odd) {
    return bytes_up_to(_mm256_adds_epu8(even, odd), most);
  };
  return for_each_block(span, pairs * kBlockRows, out,
                        [&](const std::uint8_t* codes, std::uint64_t mask, std::uint32_t first_row) {
                          ahead.ask(codes);
                          const __m256i zero = _mm256_setzero_si256();
                          __m256i even[2] = {zero, zero};
                          __m256i odd[2] = {zero, zero};
                          for (std::size_t p = 0; p < pairs; ++p) {
#pragma GCC unroll 2
                            for (std::size_t half = 0; half < 2; ++half) {
                              const Entries256 entries =
                                  entries256(tables, p, codes + p * kBlockRows + half * 32);
                              even[half] = _mm256_adds_epu8(even[half], entries.even);
                              odd[half] = _mm256_adds_epu8(odd[half], entries.odd);
                            }
                          }
                          const std::uint64_t keep = up_to(even[0], odd[0]) | up_to(even[1], odd[1]) << 32;
                          append_rows(keep & mask, first_row, out);
                        });
}

}  // namespace
}  // namespace medretrieval::kernels
