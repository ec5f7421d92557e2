// Plain C++: the reference that every other table must equal bit for bit.
#include <cstddef>
#include <cstdint>

#include "kernels/parts/scan.hpp"

namespace medretrieval::kernels {
namespace {

/// Calls distance(block pointer, row) for every masked row and keeps those up to the threshold.
template <class Threshold, class Distance>
inline std::size_t scan(const BlockSpan& span, std::size_t block_bytes, Threshold threshold, Survivors& out,
                        const Distance& distance) noexcept {
  return for_each_block(span, block_bytes, out,
                        [&](const std::uint8_t* codes, std::uint64_t mask, std::uint32_t first_row) {
                          for (; mask != 0; mask &= mask - 1) {
                            const auto row = static_cast<std::size_t>(__builtin_ctzll(mask));
                            const Threshold d = distance(codes, row);
                            if (!(d <= threshold)) continue;
                            out.rows[out.count] = first_row + static_cast<std::uint32_t>(row);
                            if (out.distances != nullptr) out.distances[out.count] = static_cast<float>(d);
                            ++out.count;
                          }
                        });
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

/// The entry of subspace m of a row; kBits 4 or 8.
template <std::size_t kBits>
inline unsigned entry_of(const std::uint8_t* codes, std::size_t row, std::size_t m) noexcept {
  if constexpr (kBits == 8) return codes[m * kBlockRows + row];
  const unsigned both = codes[m / 2 * kBlockRows + row];
  return m % 2 == 0 ? both & 15U : both >> 4U;
}

template <std::size_t kBits>
constexpr std::size_t block_bytes(std::size_t subspaces) noexcept {
  return (subspaces * kBits + 7) / 8 * kBlockRows;
}

template <std::size_t kBits>
inline float adc_distance(const std::uint8_t* codes, std::size_t row, const float* tables,
                          std::size_t subspaces) noexcept {
  float lanes[16] = {};
  for (std::size_t m = 0; m < subspaces; ++m) {
    lanes[m % 16] += tables[(m << kBits) + entry_of<kBits>(codes, row, m)];
  }
  return sum_lanes(lanes);
}

template <std::size_t kBits>
std::size_t adc(const BlockSpan& span, const float* tables, std::size_t subspaces, float threshold,
                Survivors& out) noexcept {
  return scan(span, block_bytes<kBits>(subspaces), threshold, out,
              [=](const std::uint8_t* codes, std::size_t row) {
                return adc_distance<kBits>(codes, row, tables, subspaces);
              });
}

template <std::size_t kBits>
void adc_rows(const std::uint8_t* blocks, const float* tables, std::size_t subspaces,
              const std::uint32_t* rows, std::size_t count, float* out) noexcept {
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t* codes = blocks + rows[i] / kBlockRows * block_bytes<kBits>(subspaces);
    out[i] = adc_distance<kBits>(codes, rows[i] % kBlockRows, tables, subspaces);
  }
}

template <std::size_t kBits, std::uint32_t kMostSum>
std::size_t quantized_adc(const BlockSpan& span, const std::uint8_t* tables, std::size_t subspaces,
                          std::uint16_t limit, Survivors& out) noexcept {
  Survivors rows_only = {out.rows, nullptr, out.capacity, out.count};
  const std::size_t done = scan(span, block_bytes<kBits>(subspaces), std::uint32_t{limit}, rows_only,
                                [=](const std::uint8_t* codes, std::size_t row) {
                                  std::uint32_t sum = 0;
                                  for (std::size_t m = 0; m < subspaces; ++m) {
                                    sum += tables[(m << kBits) + entry_of<kBits>(codes, row, m)];
                                  }
                                  return sum < kMostSum ? sum : kMostSum;
                                });
  out.count = rows_only.count;
  return done;
}

void byte_sums(const std::uint8_t* blocks, std::size_t count, const std::uint8_t* tables,
               std::size_t subspaces, std::uint8_t* sums) noexcept {
  for (std::size_t i = 0; i < count * kBlockRows; ++i) {
    const std::uint8_t* codes = blocks + i / kBlockRows * block_bytes<4>(subspaces);
    unsigned sum = 0;
    for (std::size_t m = 0; m < subspaces; ++m) sum += tables[m * 16 + entry_of<4>(codes, i % kBlockRows, m)];
    sums[i] = static_cast<std::uint8_t>(sum < 255 ? sum : 255);
  }
}

std::size_t sums_up_to(const std::uint8_t* sums, std::size_t count, std::uint8_t bound,
                       std::uint64_t* masks) noexcept {
  std::size_t found = 0;
  for (std::size_t b = 0; b < count; ++b) {
    masks[b] = 0;
    for (std::size_t r = 0; r < kBlockRows; ++r) {
      masks[b] |= static_cast<std::uint64_t>(sums[b * kBlockRows + r] <= bound) << r;
    }
    found += static_cast<std::size_t>(__builtin_popcountll(masks[b]));
  }
  return found;
}

void entry_distances(const float* query, const float* values, const std::size_t* starts,
                     std::size_t subspaces, std::size_t entries, float* out) noexcept {
  for (std::size_t m = 0; m < subspaces; ++m) {
    for (std::size_t j = 0; j < entries; ++j) {
      float sum = 0;
      for (std::size_t d = starts[m]; d < starts[m + 1]; ++d) {
        const float difference = query[d] - values[d * entries + j];
        sum = __builtin_fmaf(difference, difference, sum);
      }
      out[m * entries + j] = sum;
    }
  }
}

void table_ranges(const float* tables, std::size_t count, std::size_t size, float* least,
                  float* largest) noexcept {
  for (std::size_t m = 0; m < count; ++m) {
    const float* table = tables + m * size;
    least[m] = largest[m] = table[0];
    for (std::size_t j = 1; j < size; ++j) {
      if (table[j] < least[m]) least[m] = table[j];
      if (table[j] > largest[m]) largest[m] = table[j];
    }
  }
}

void quantize_tables(const float* tables, std::size_t count, std::size_t size, const float* least,
                     float scale, float largest, std::uint8_t* out) noexcept {
  for (std::size_t i = 0; i < count * size; ++i) {
    const float level = (tables[i] - least[i / size]) * scale;
    out[i] = static_cast<std::uint8_t>(static_cast<int>(level < largest ? level : largest));
  }
}

void key_range(const std::int32_t* keys, std::size_t count, std::int32_t& least,
               std::int32_t& largest) noexcept {
  least = largest = keys[0];
  for (std::size_t i = 1; i < count; ++i) {
    least = keys[i] < least ? keys[i] : least;
    largest = keys[i] > largest ? keys[i] : largest;
  }
}

std::size_t count_keys(const std::int32_t* keys, std::size_t count, std::int32_t bound) noexcept {
  constexpr std::size_t kChunk = std::size_t{1} << 30;  // counted in 32 bits, as fast as the comparisons
  std::size_t found = 0;
  for (std::size_t first = 0; first < count; first += kChunk) {
    const std::size_t last = count - first < kChunk ? count : first + kChunk;
    std::int32_t here = 0;
    for (std::size_t i = first; i < last; ++i) here += keys[i] <= bound ? 1 : 0;
    found += static_cast<std::size_t>(here);
  }
  return found;
}

std::size_t keep_keys(std::int32_t* keys, std::uint32_t* rows, std::uint32_t* sources, std::size_t count,
                      std::int32_t bound) noexcept {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::int32_t key = keys[i];
    keys[kept] = key;
    rows[kept] = rows[i];
    sources[kept] = sources[i];
    kept += key <= bound ? 1 : 0;
  }
  return kept;
}

inline float value_at(const float* row, std::size_t d) noexcept {
  return row[d];
}
/// The float32 that equals a binary16.
inline float value_at(const std::uint16_t* row, std::size_t d) noexcept {
  const std::uint32_t half = row[d];
  const std::uint32_t exponent = half >> 10U & 31U;
  const std::uint32_t fraction = half & 1023U;
  const std::uint32_t wide = exponent == 31 ? 255U : exponent + 112U;
  const float magnitude = exponent == 0 ? static_cast<float>(fraction) * 0x1p-24F
                                        : __builtin_bit_cast(float, wide << 23U | fraction << 13U);
  return (half & 0x8000U) != 0 ? -magnitude : magnitude;
}
/// What a byte of a row with a head stands for.
inline float value_at(const std::uint8_t* row, std::size_t d) noexcept {
  float least = 0;
  float step = 0;
  __builtin_memcpy(&least, row, sizeof least);
  __builtin_memcpy(&step, row + sizeof least, sizeof step);
  return __builtin_fmaf(static_cast<float>(row[kByteRowHead + d]), step, least);
}

/// Rows in the fixed order; the last group of 16 is padded with zeros like everywhere else.
template <class Value, class Term>
inline void sum_rows(const Value* base, std::size_t stride, const std::uint32_t* indices, std::size_t count,
                     std::size_t dimension, float* out, const Term& term) noexcept {
  for (std::size_t i = 0; i < count; ++i) {
    const Value* row = base + (indices == nullptr ? i : indices[i]) * stride;
    float lanes[16] = {};
    for (std::size_t d = 0; d < dimension; ++d) lanes[d % 16] = term(d, value_at(row, d), lanes[d % 16]);
    for (std::size_t d = dimension; d % 16 != 0; ++d)
      lanes[d % 16] = __builtin_fmaf(0.0F, 0.0F, lanes[d % 16]);
    out[i] = sum_lanes(lanes);
  }
}

template <class Value>
void l2_squared(const float* query, const Value* base, std::size_t stride, const std::uint32_t* indices,
                std::size_t count, std::size_t dimension, float* out) noexcept {
  sum_rows(base, stride, indices, count, dimension, out, [=](std::size_t d, float value, float sum) {
    const float difference = query[d] - value;
    return __builtin_fmaf(difference, difference, sum);
  });
}

template <class Value>
void inner_product(const float* query, const Value* base, std::size_t stride, const std::uint32_t* indices,
                   std::size_t count, std::size_t dimension, float* out) noexcept {
  sum_rows(base, stride, indices, count, dimension, out,
           [=](std::size_t d, float value, float sum) { return __builtin_fmaf(query[d], value, sum); });
}

template <class Value>
void row_squares(const Value* base, std::size_t stride, const std::uint32_t* indices, std::size_t count,
                 std::size_t dimension, float* out) noexcept {
  sum_rows(base, stride, indices, count, dimension, out,
           [](std::size_t, float value, float sum) { return __builtin_fmaf(value, value, sum); });
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

void multiply_row(const float* a, const float* b, std::size_t panel_stride, std::size_t panels,
                  std::size_t depth, float* c) noexcept {
  for (std::size_t p = 0; p < panels; ++p) {
    for (std::size_t k = 0; k < depth; ++k) {
      for (std::size_t j = 0; j < kTileCols; ++j) {
        float& sum = c[p * kTileCols + j];
        sum = __builtin_fmaf(a[k], b[p * panel_stride + k * kTileCols + j], sum);
      }
    }
  }
}

void nearest_centroids(const float* points, const float* centroids, const float* half_norms,
                       std::size_t count, std::size_t depth, std::uint32_t first, Nearest& nearest) noexcept {
  for (std::size_t c = 0; c < count; ++c) {
    float scores[kBlockRows];
    for (float& score : scores) score = half_norms[c];
    for (std::size_t d = 0; d < depth; ++d) {
      const float value = -centroids[c * depth + d];
      for (std::size_t i = 0; i < kBlockRows; ++i) {
        scores[i] = __builtin_fmaf(points[d * kBlockRows + i], value, scores[i]);
      }
    }
    for (std::size_t i = 0; i < kBlockRows; ++i) {
      const float least = nearest.least[i];
      const bool nearer = scores[i] < least;
      const float larger = nearer ? least : scores[i];
      nearest.second[i] = larger < nearest.second[i] ? larger : nearest.second[i];
      nearest.least[i] = nearer ? scores[i] : least;
      nearest.number[i] = nearer ? first + static_cast<std::uint32_t>(c) : nearest.number[i];
    }
  }
}

void pack_points(const float* rows, std::size_t stride, std::size_t count, const float* mean,
                 std::size_t depth, float* points, float* square_norms) noexcept {
  for (std::size_t i = 0; i < kBlockRows; ++i) square_norms[i] = 0;
  for (std::size_t d = 0; d < depth; ++d) {
    float* place = points + d * kBlockRows;
    for (std::size_t i = 0; i < count; ++i) place[i] = rows[i * stride + d] - mean[d];
    for (std::size_t i = count; i < kBlockRows; ++i) place[i] = 0;
    for (std::size_t i = 0; i < kBlockRows; ++i) square_norms[i] += place[i] * place[i];
  }
}

void add_rows(const float* rows, std::size_t stride, const std::uint32_t* groups, std::size_t count,
              std::size_t width, double* sums, std::size_t sums_stride) noexcept {
  for (std::size_t i = 0; i < count; ++i) {
    const float* row = rows + i * stride;
    double* sum = sums + groups[i] * sums_stride;
    for (std::size_t d = 0; d < width; ++d) sum[d] += static_cast<double>(row[d]);
  }
}

void sign_bits(const float* values, const float* offsets, std::size_t count, std::uint8_t* bits) noexcept {
  for (std::size_t i = 0; i < count; i += 8) {
    unsigned byte = 0;
    for (std::size_t j = 0; j < 8 && i + j < count; ++j) {
      byte |= static_cast<unsigned>(values[i + j] + offsets[i + j] > 0) << j;
    }
    bits[i / 8] = static_cast<std::uint8_t>(byte);
  }
}

}  // namespace

const KernelTable kScalarKernels = {.name = "scalar",
                                    .hamming = hamming,
                                    .hamming32 = hamming32,
                                    .adc8 = adc<8>,
                                    .adc4 = adc<4>,
                                    .quantized_adc8 = quantized_adc<8, 65535>,
                                    .quantized_adc4 = quantized_adc<4, 65535>,
                                    .saturated_adc4 = quantized_adc<4, 255>,
                                    .byte_sums = byte_sums,
                                    .sums_up_to = sums_up_to,
                                    .entry_distances = entry_distances,
                                    .table_ranges = table_ranges,
                                    .quantize_tables = quantize_tables,
                                    .adc8_rows = adc_rows<8>,
                                    .adc4_rows = adc_rows<4>,
                                    .l2_squared = l2_squared<float>,
                                    .inner_product = inner_product<float>,
                                    .key_range = key_range,
                                    .count_keys = count_keys,
                                    .keep_keys = keep_keys,
                                    .l2_squared_half = l2_squared<std::uint16_t>,
                                    .inner_product_half = inner_product<std::uint16_t>,
                                    .l2_squared_bytes = l2_squared<std::uint8_t>,
                                    .inner_product_bytes = inner_product<std::uint8_t>,
                                    .row_squares = row_squares<float>,
                                    .row_squares_half = row_squares<std::uint16_t>,
                                    .row_squares_bytes = row_squares<std::uint8_t>,
                                    .multiply_row = multiply_row,
                                    .multiply_tile = multiply_tile,
                                    .tile_rows = kTileRows,
                                    .tile_cols = kTileCols,
                                    .nearest_centroids = nearest_centroids,
                                    .pack_points = pack_points,
                                    .add_rows = add_rows,
                                    .sign_bits = sign_bits};

}  // namespace medretrieval::kernels
