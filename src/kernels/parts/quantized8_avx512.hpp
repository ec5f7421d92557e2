// Quantized asymmetric distance of 8-bit codes with 512-bit registers and no VBMI: a table of 256 bytes is 16 shuffles.
#pragma once

#include "kernels/parts/quantized8.hpp"
#include "kernels/parts/quantized_avx512.hpp"

namespace medretrieval::kernels {
namespace {

/// A shuffle looks up the lower half of a byte among 16 entries; the bits of the upper half choose among the shuffles.
class ByteSums8 {
 public:
  static constexpr std::size_t kRowLookups = 24;

  void add(const std::uint8_t* table, const std::uint8_t* first, const std::uint8_t* second) noexcept {
    sums_[0].add(entries(table, _mm512_load_si512(first)));
    sums_[1].add(entries(table, _mm512_load_si512(second)));
  }
  std::uint64_t first(std::uint16_t limit) const noexcept { return sums_[0].up_to(limit); }
  std::uint64_t second(std::uint16_t limit) const noexcept { return sums_[1].up_to(limit); }

 private:
  static __mmask64 has_bit(__m512i codes, int bit) noexcept {
    return _mm512_test_epi8_mask(codes, _mm512_set1_epi8(static_cast<char>(1 << bit)));
  }
  /// Of every two the second where marked.
  template <std::size_t kPairs>
  static void choose(__m512i (&found)[8], __mmask64 second) noexcept {
#pragma GCC unroll 4
    for (std::size_t i = 0; i < kPairs; ++i) {
      found[i] = _mm512_mask_blend_epi8(second, found[2 * i], found[2 * i + 1]);
    }
  }
  static __m512i entries(const std::uint8_t* table, __m512i codes) noexcept {
    const __m512i low = _mm512_and_si512(codes, _mm512_set1_epi8(15));
    const __mmask64 odd = has_bit(codes, 4);
    const auto part = [&](std::size_t i) {
      return _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table + i * 16)));
    };
    __m512i found[8];
#pragma GCC unroll 8
    for (std::size_t i = 0; i < 8; ++i) {
      const __m512i even = _mm512_shuffle_epi8(part(2 * i), low);
      found[i] = _mm512_mask_shuffle_epi8(even, odd, part(2 * i + 1), low);
    }
    choose<4>(found, has_bit(codes, 5));
    choose<2>(found, has_bit(codes, 6));
    choose<1>(found, has_bit(codes, 7));
    return found[0];
  }

  ByteSums512 sums_[2];
};

}  // namespace
}  // namespace medretrieval::kernels
