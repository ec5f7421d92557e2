// Plain C++: the reference that every other table must equal bit for bit.
#include <cstddef>
#include <cstdint>

#include "kernels/kernel_table.hpp"

namespace medretrieval::kernels {
namespace {

inline std::uint64_t mask_of(const BlockSpan& span, std::size_t block) noexcept {
  return span.masks == nullptr ? ~std::uint64_t{0} : span.masks[block];
}

/// Calls distance(block pointer, row) for every masked row and keeps those up to the threshold.
template <class Threshold, class Distance>
inline std::size_t scan(const BlockSpan& span, std::size_t block_bytes, Threshold threshold, Survivors& out,
                        const Distance& distance) noexcept {
  std::size_t block = 0;
  for (; block < span.count && out.capacity - out.count >= kBlockRows; ++block) {
    const std::uint8_t* codes = span.blocks + block * block_bytes;
    for (std::uint64_t mask = mask_of(span, block); mask != 0; mask &= mask - 1) {
      const auto row = static_cast<std::size_t>(__builtin_ctzll(mask));
      const Threshold d = distance(codes, row);
      if (d <= threshold) {
        out.rows[out.count] = span.first_row + static_cast<std::uint32_t>(block * kBlockRows + row);
        out.distances[out.count] = static_cast<float>(d);
        ++out.count;
      }
    }
  }
  return block;
}

inline float sum_lanes(float* lanes) noexcept {
  for (std::size_t step = 8; step > 0; step /= 2) {
    for (std::size_t j = 0; j < step; ++j) lanes[j] += lanes[j + step];
  }
  return lanes[0];
}

std::size_t hamming(const BlockSpan& span, const std::uint64_t* query, const std::uint32_t* weights,
                    std::size_t words, std::uint32_t threshold, Survivors& out) noexcept {
  return scan(span, words * kBlockRows * 8, threshold, out, [=](const std::uint8_t* codes, std::size_t row) {
    const auto* block = reinterpret_cast<const std::uint64_t*>(codes);
    std::uint32_t distance = 0;
    for (std::size_t w = 0; w < words; ++w) {
      const auto bits =
          static_cast<std::uint32_t>(__builtin_popcountll(block[w * kBlockRows + row] ^ query[w]));
      distance += weights == nullptr ? bits : bits * weights[w];
    }
    return distance;
  });
}

std::size_t hamming32(const BlockSpan& span, std::uint32_t query, std::uint32_t threshold,
                      Survivors& out) noexcept {
  return scan(span, kBlockRows * 4, threshold, out, [=](const std::uint8_t* codes, std::size_t row) {
    return static_cast<std::uint32_t>(
        __builtin_popcount(reinterpret_cast<const std::uint32_t*>(codes)[row] ^ query));
  });
}

std::size_t adc8(const BlockSpan& span, const float* tables, std::size_t subspaces, float threshold,
                 Survivors& out) noexcept {
  return scan(span, subspaces * kBlockRows, threshold, out, [=](const std::uint8_t* codes, std::size_t row) {
    float lanes[16] = {};
    for (std::size_t m = 0; m < subspaces; ++m)
      lanes[m % 16] += tables[m * 256 + codes[m * kBlockRows + row]];
    return sum_lanes(lanes);
  });
}

std::size_t adc4(const BlockSpan& span, const float* tables, std::size_t subspaces, float threshold,
                 Survivors& out) noexcept {
  return scan(span, (subspaces + 1) / 2 * kBlockRows, threshold, out,
              [=](const std::uint8_t* codes, std::size_t row) {
                float lanes[16] = {};
                for (std::size_t m = 0; m < subspaces; ++m) {
                  const unsigned byte = codes[m / 2 * kBlockRows + row];
                  lanes[m % 16] += tables[m * 16 + (m % 2 == 0 ? byte & 15U : byte >> 4U)];
                }
                return sum_lanes(lanes);
              });
}

/// Rows in the fixed order; the last group of 16 is padded with zeros like everywhere else.
template <class Term>
inline void row_distances(const float* query, const float* base, std::size_t stride,
                          const std::uint32_t* indices, std::size_t count, std::size_t dimension, float* out,
                          const Term& term) noexcept {
  for (std::size_t i = 0; i < count; ++i) {
    const float* row = base + (indices == nullptr ? i : indices[i]) * stride;
    float lanes[16] = {};
    for (std::size_t d = 0; d < dimension; d += 16) {
      for (std::size_t j = 0; j < 16; ++j) {
        const bool inside = d + j < dimension;
        lanes[j] = term(inside ? query[d + j] : 0.0F, inside ? row[d + j] : 0.0F, lanes[j]);
      }
    }
    out[i] = sum_lanes(lanes);
  }
}

void l2_squared(const float* query, const float* base, std::size_t stride, const std::uint32_t* indices,
                std::size_t count, std::size_t dimension, float* out) noexcept {
  row_distances(query, base, stride, indices, count, dimension, out, [](float a, float b, float sum) {
    const float difference = a - b;
    return __builtin_fmaf(difference, difference, sum);
  });
}

void inner_product(const float* query, const float* base, std::size_t stride, const std::uint32_t* indices,
                   std::size_t count, std::size_t dimension, float* out) noexcept {
  row_distances(query, base, stride, indices, count, dimension, out,
                [](float a, float b, float sum) { return __builtin_fmaf(a, b, sum); });
}

constexpr std::size_t kTileRows = 4;
constexpr std::size_t kTileCols = 8;

void multiply_tile(const float* a, const float* b, std::size_t depth, float* c,
                   std::size_t c_stride) noexcept {
  for (std::size_t k = 0; k < depth; ++k) {
    for (std::size_t i = 0; i < kTileRows; ++i) {
      for (std::size_t j = 0; j < kTileCols; ++j) {
        float& sum = c[i * c_stride + j];
        sum = __builtin_fmaf(a[k * kTileRows + i], b[k * kTileCols + j], sum);
      }
    }
  }
}

}  // namespace

const KernelTable kScalarKernels = {"scalar",   hamming,       hamming32,     adc8,      adc4,
                                    l2_squared, inner_product, multiply_tile, kTileRows, kTileCols};

}  // namespace medretrieval::kernels
