// Quantized asymmetric distance of 8-bit codes with 256-bit registers: a table of 256 bytes is 16 shuffles.
#pragma once

#include "kernels/parts/quantized8.hpp"
#include "kernels/parts/quantized_avx2.hpp"

namespace medretrieval::kernels {
namespace {

/// A shuffle looks up the lower half of a byte among 16 entries and gives 0 where the highest bit is set. So codes are
/// lowered by 16 before every further shuffle, without wrapping: a code below 128 passes as many shuffles as its upper
/// half says, and one, before it turns negative for good. Their results are joined by exclusive or, and every table but the
/// first is the difference, in that sense, to the one before it: what stays is the entry of the last. Codes from 128 on go
/// the same way with their highest bit turned.
class ByteSums8 {
 public:
  static constexpr std::size_t kRowLookups = 32;

  void add(const std::uint8_t* table, const std::uint8_t* first, const std::uint8_t* second) noexcept {
    __m256i found[4] = {};
    add_half(table, first, second, _mm256_setzero_si256(), found);
    add_half(table + 128, first, second, _mm256_set1_epi8(static_cast<char>(0x80)), found);
#pragma GCC unroll 4
    for (std::size_t v = 0; v < 4; ++v) sums_[v].add(found[v]);
  }
  std::uint64_t first(std::uint16_t limit) const noexcept {
    return sums_[0].up_to(limit) | sums_[1].up_to(limit) << 32;
  }
  std::uint64_t second(std::uint16_t limit) const noexcept {
    return sums_[2].up_to(limit) | sums_[3].up_to(limit) << 32;
  }

 private:
  /// The 128 entries at `table`, for the codes that are below 128 once the bits of `turned` are turned.
  static void add_half(const std::uint8_t* table, const std::uint8_t* first, const std::uint8_t* second,
                       __m256i turned, __m256i* found) noexcept {
    const auto load = [&](const std::uint8_t* codes) {
      return _mm256_xor_si256(_mm256_load_si256(reinterpret_cast<const __m256i*>(codes)), turned);
    };
    __m256i codes[4] = {load(first), load(first + 32), load(second), load(second + 32)};
    __m256i before = _mm256_setzero_si256();
#pragma GCC unroll 8
    for (std::size_t part = 0; part < 8; ++part) {
      const auto* at = reinterpret_cast<const __m128i*>(table + part * 16);
      const __m256i entries = _mm256_broadcastsi128_si256(_mm_loadu_si128(at));
      const __m256i change = _mm256_xor_si256(entries, before);
      before = entries;
#pragma GCC unroll 4
      for (std::size_t v = 0; v < 4; ++v) {
        found[v] = _mm256_xor_si256(found[v], _mm256_shuffle_epi8(change, codes[v]));
        codes[v] = _mm256_subs_epi8(codes[v], _mm256_set1_epi8(16));
      }
    }
  }

  ByteSums256 sums_[4];
};

}  // namespace
}  // namespace medretrieval::kernels
