// Input for benchmarks: synthetic, and the same at every run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include <medretrieval/codes.hpp>
#include <medretrieval/matrix.hpp>

namespace benchmarks {

inline medretrieval::Matrix random_matrix(std::size_t rows, std::size_t cols, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  medretrieval::Matrix matrix(rows, cols);
  for (std::size_t r = 0; r < rows; ++r) {
    for (float& value : matrix.row(r)) value = normal(random);
  }
  return matrix;
}

inline medretrieval::Codes random_codes(const medretrieval::CodeLayout& layout, std::size_t rows,
                                        unsigned seed) {
  std::mt19937_64 random(seed);
  std::vector<std::uint8_t> packed(rows * layout.row_bytes());
  for (auto& byte : packed) byte = static_cast<std::uint8_t>(random());
  return medretrieval::Codes::from_rows(layout, rows, packed);
}

}  // namespace benchmarks
