// The rows of an inverted list that a query may look at.
#pragma once

#include <algorithm>
#include <cstdint>
#include <medretrieval/scorer.hpp>
#include <span>

#include "codes/row_words.hpp"

namespace medretrieval::index {

/// Calls visit(piece) for the rows of a list that lie in the parts.
template <class Visit>
void for_each_piece(std::span<const ScanPart> parts, std::uint32_t list, const Visit& visit) {
  for (const auto& part : parts) {
    for (const auto& range : part.lists->of(list)) {
      ScanPart piece = part;
      piece.begin = std::max(part.begin, range.begin);
      piece.end = std::min(part.end, range.end);
      if (piece.begin < piece.end) visit(piece);
    }
  }
}

/// Rows of a piece that count.
inline std::size_t rows_that_count(const ScanPart& piece) {
  const auto low = std::lower_bound(piece.excluded.begin(), piece.excluded.end(), piece.begin);
  const auto high = std::lower_bound(low, piece.excluded.end(), piece.end);
  const auto is_set = [&](std::uint32_t row) {
    return piece.masks == nullptr || (piece.masks[row / 64] >> row % 64 & 1) != 0;
  };
  const auto excluded = static_cast<std::size_t>(std::count_if(low, high, is_set));
  return detail::count_set(piece.masks, piece.begin, piece.end) - excluded;
}

/// Rows of a list that count.
inline std::size_t rows_that_count(std::span<const ScanPart> parts, std::uint32_t list) {
  std::size_t rows = 0;
  for_each_piece(parts, list, [&](const ScanPart& piece) { rows += rows_that_count(piece); });
  return rows;
}

/// Asks memory for the codes of a list, or the first of them: so few rows end before the processor has learned to fetch
/// ahead by itself.
inline void prefetch_codes(std::span<const ScanPart> parts, std::uint32_t list) {
  constexpr std::size_t kMostBytes = 8192;
  constexpr std::size_t kLineBytes = 64;
  for_each_piece(parts, list, [=](const ScanPart& piece) {
    const std::uint8_t* codes = piece.codes.block(piece.begin / CodeLayout::kBlockRows);
    const std::size_t bytes = (piece.end - piece.begin) * piece.codes.layout().row_bytes();
    for (std::size_t b = 0; b < std::min(bytes, kMostBytes); b += kLineBytes) __builtin_prefetch(codes + b);
  });
}

}  // namespace medretrieval::index
