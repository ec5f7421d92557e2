// Rows as bits: a 64-bit word for each block of 64 rows.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace medretrieval::detail {

/// The bits of one word that stand for rows `begin` to `end - 1`, `word` being the word's place.
inline std::uint64_t bits_between(std::size_t word, std::size_t begin, std::size_t end) noexcept {
  const std::size_t low = std::max(begin, word * 64) - word * 64;
  const std::size_t high = std::min(end, word * 64 + 64) - word * 64;
  if (low >= high) return 0;
  return (~std::uint64_t{0} >> (64 - (high - low))) << low;
}

/// Set bits of rows `begin` to `end - 1`; all of them when `words` is null.
inline std::size_t count_set(const std::uint64_t* words, std::size_t begin, std::size_t end) noexcept {
  if (words == nullptr) return end - begin;
  std::size_t count = 0;
  for (std::size_t w = begin / 64; w * 64 < end; ++w) {
    count += static_cast<std::size_t>(std::popcount(words[w] & bits_between(w, begin, end)));
  }
  return count;
}

/// Calls visit(row) for the set bits of rows `begin` to `end - 1`, ascending; for all rows when `words` is null.
template <class Visit>
void for_each_set(const std::uint64_t* words, std::size_t begin, std::size_t end, const Visit& visit) {
  for (std::size_t w = begin / 64; w * 64 < end; ++w) {
    std::uint64_t bits = bits_between(w, begin, end);
    if (words != nullptr) bits &= words[w];
    for (; bits != 0; bits &= bits - 1) visit(static_cast<std::uint32_t>(w * 64 + std::countr_zero(bits)));
  }
}

}  // namespace medretrieval::detail
