#include "encoders/codebook_search.hpp"

#include <algorithm>
#include <array>

namespace medretrieval::encoders {

namespace {

constexpr std::size_t kBlockRows = CodeLayout::kBlockRows;
constexpr std::size_t kChunk = linalg::CentroidSearch::kPanelsAtOnce * kBlockRows;

/// Entry m of the rows of a block of product codes.
void write_entries(const std::uint32_t* entries, std::size_t count, std::size_t m, std::size_t bits_per_entry,
                   std::uint8_t* block) {
  if (bits_per_entry == 8) {
    for (std::size_t i = 0; i < count; ++i) block[m * kBlockRows + i] = static_cast<std::uint8_t>(entries[i]);
    return;
  }
  std::uint8_t* pairs = block + m / 2 * kBlockRows;
  const std::size_t shift = m % 2 * 4;
  for (std::size_t i = 0; i < count; ++i) {
    pairs[i] = static_cast<std::uint8_t>(pairs[i] | entries[i] << shift);
  }
}

}  // namespace

CodebookSearch::CodebookSearch(const ProductCodebook& codebook) : codebook_(codebook) {
  for (std::size_t m = 0; m < codebook.subspaces(); ++m) searches_.emplace_back(codebook.centroids(m));
}

void CodebookSearch::encode(MatrixView features, Codes& codes, std::size_t first_row) const {
  linalg::PackedPoints packed;
  std::array<std::uint32_t, kChunk> nearest;
  for (std::size_t first = 0; first < features.rows(); first += kChunk) {
    const MatrixView rows = features.rows_from(first, std::min(kChunk, features.rows() - first));
    for (std::size_t m = 0; m < searches_.size(); ++m) {
      const MatrixView points = codebook_.slice(rows, m);
      packed.pack(points, searches_[m].mean(), 1);
      searches_[m].assign(points, packed, 0, packed.panels(), nearest.data());
      for (std::size_t r = 0; r < points.rows(); r += kBlockRows) {
        write_entries(&nearest[r], std::min(kBlockRows, points.rows() - r), m,
                      codes.layout().bits_per_entry(), codes.block((first_row + first + r) / kBlockRows));
      }
    }
  }
}

}  // namespace medretrieval::encoders
