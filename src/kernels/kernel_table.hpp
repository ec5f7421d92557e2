// The inner loops, one table of functions for each instruction set.
//
// A kernel file includes only its intrinsics, <cstddef>, <cstdint> and this header: anything inline from
// elsewhere would be compiled with that file's instruction set and could be linked into baseline code.
//
// Every table gives the same bits. For that, floating point follows two fixed orders:
//  - vectors (l2_squared, inner_product) and sums of table entries (adc): 16 lanes, element i in lane i mod
//  16,
//    padded with zeros to a multiple of 16; vectors use fused multiply-add. The lanes are added as a tree:
//    lane j += lane j + 8, then + 4, + 2, + 1.
//  - matrix products: one accumulator for each output, fused multiply-add, ascending inner index.
#pragma once

#include <cstddef>
#include <cstdint>

namespace medretrieval::kernels {

/// Codes are stored in blocks of this many rows, so that one 64-bit word masks a block.
inline constexpr std::size_t kBlockRows = 64;

/// The blocks to scan and the rows that count.
struct BlockSpan {
  const std::uint8_t* blocks;  ///< the first block, 64-byte aligned
  std::size_t count;           ///< number of blocks
  const std::uint64_t* masks;  ///< one word a block, bit r for row r; null: all rows
  std::uint32_t first_row;     ///< the number of the first block's row 0
};

/// Where rows go whose distance does not exceed the threshold, in ascending row order.
/// A scan stops before a block when fewer than kBlockRows places are free.
struct Survivors {
  std::uint32_t* rows;
  float* distances;
  std::size_t capacity;  ///< at least kBlockRows
  std::size_t count;     ///< in: places taken; out: places taken
};

/// Hamming distance over `words` 64-bit words a code; block layout word[w][row]. `weights` (one a word) or
/// null.
using HammingScan = std::size_t (*)(const BlockSpan& span, const std::uint64_t* query,
                                    const std::uint32_t* weights, std::size_t words, std::uint32_t threshold,
                                    Survivors& out) noexcept;
/// Hamming distance of codes of up to 32 bits; block layout word[row].
using Hamming32Scan = std::size_t (*)(const BlockSpan& span, std::uint32_t query, std::uint32_t threshold,
                                      Survivors& out) noexcept;
/// Asymmetric distance: the sum of one table entry for each of `subspaces` code entries.
/// 8-bit codes: block layout entry[m][row], tables float[m][256]. 4-bit codes: byte[m / 2][row], the even
/// entry in the low half, tables float[m][16].
using AdcScan = std::size_t (*)(const BlockSpan& span, const float* tables, std::size_t subspaces,
                                float threshold, Survivors& out) noexcept;

/// Quantized asymmetric distance: appends the rows whose sum of one table entry for each subspace is at most `limit`.
/// Writes row numbers only, no distances. Tables uint8[m][256] for 8-bit codes; uint8[m][16] for 4-bit codes and, when
/// `subspaces` is odd, a last table of zeros.
/// - quantized: exact sums; 4-bit entries are at most kMostQuantized4, so that four of them fit a byte. `subspaces` is at
///   most kMaxQuantizedSubspaces, so that no sum exceeds 16 bits.
/// - saturated: a sum above 255 counts as 255; `limit` is at most 254.
using QuantizedAdcScan = std::size_t (*)(const BlockSpan& span, const std::uint8_t* tables,
                                         std::size_t subspaces, std::uint16_t limit, Survivors& out) noexcept;
inline constexpr std::size_t kMaxQuantizedSubspaces = 257;
inline constexpr int kMostQuantized4 = 63;

/// The least and the largest entry of each of `count` tables of `size` finite entries; `size` is a multiple of 16.
using TableRanges = void (*)(const float* tables, std::size_t count, std::size_t size, float* least,
                             float* largest) noexcept;
/// Entry j of table m becomes min(largest, (tables[m][j] - least[m]) * scale), cut to a whole number: a subtraction and a
/// multiplication in float. `largest` is at most 255.
using QuantizeTables = void (*)(const float* tables, std::size_t count, std::size_t size, const float* least,
                                float scale, float largest, std::uint8_t* out) noexcept;

/// Byte sums of 4-bit codes: sums[b * kBlockRows + r] = min(255, the sum of one table entry for each subspace) for all
/// rows of `count` blocks, those past the last row of the codes too. Tables as for QuantizedAdcScan.
using ByteSums = void (*)(const std::uint8_t* blocks, std::size_t count, const std::uint8_t* tables,
                          std::size_t subspaces, std::uint8_t* sums) noexcept;
/// Bit r of masks[b] = sums[b * kBlockRows + r] <= bound, for `count` blocks of sums. Returns how many bits are set.
using SumsUpTo = std::size_t (*)(const std::uint8_t* sums, std::size_t count, std::uint8_t bound,
                                 std::uint64_t* masks) noexcept;

/// The lookup tables of one query: out[m * entries + j] = sum over the dimensions d of subspace m (starts[m] up to
/// starts[m + 1]) of (query[d] - values[d * entries + j])^2: one accumulator that begins with 0, fused multiply-add,
/// ascending d. `entries` is a multiple of 16.
using EntryDistances = void (*)(const float* query, const float* values, const std::size_t* starts,
                                std::size_t subspaces, std::size_t entries, float* out) noexcept;

/// Asymmetric distances of `count` rows, in the fixed order: row r lies in block r / 64 of `blocks`.
using AdcRows = void (*)(const std::uint8_t* blocks, const float* tables, std::size_t subspaces,
                         const std::uint32_t* rows, std::size_t count, float* out) noexcept;

/// Distance of `query` to rows of a matrix: row `indices[i]` (or i when null) at `base + row * stride`, to
/// out[i].
using RowDistances = void (*)(const float* query, const float* base, std::size_t stride,
                              const std::uint32_t* indices, std::size_t count, std::size_t dimension,
                              float* out) noexcept;

/// The same for rows of 16-bit floats (IEEE 754 binary16), which count as the float32 values that they equal.
using HalfRowDistances = void (*)(const float* query, const std::uint16_t* base, std::size_t stride,
                                  const std::uint32_t* indices, std::size_t count, std::size_t dimension,
                                  float* out) noexcept;

/// The same for rows of bytes: the float32s `least` and `step`, then one byte b a dimension, which counts as the float32
/// fma(b, step, least). `stride` is in bytes; rows need not be aligned.
using ByteRowDistances = void (*)(const float* query, const std::uint8_t* base, std::size_t stride,
                                  const std::uint32_t* indices, std::size_t count, std::size_t dimension,
                                  float* out) noexcept;
inline constexpr std::size_t kByteRowHead = 8;

/// The inner product of every row with itself, for rows of float32, binary16 or bytes as above.
template <class Value>
using RowSquares = void (*)(const Value* base, std::size_t stride, const std::uint32_t* indices,
                            std::size_t count, std::size_t dimension, float* out) noexcept;

/// The least and the largest of at least one key.
using KeyRange = void (*)(const std::int32_t* keys, std::size_t count, std::int32_t& least,
                          std::int32_t& largest) noexcept;
/// How many of the keys lie at or below a bound.
using CountKeys = std::size_t (*)(const std::int32_t* keys, std::size_t count, std::int32_t bound) noexcept;
/// Moves the entries with keys at or below a bound to the front, in their order, and returns how many there are.
using KeepKeys = std::size_t (*)(std::int32_t* keys, std::uint32_t* rows, std::uint32_t* sources,
                                 std::size_t count, std::int32_t bound) noexcept;

/// One row of a matrix product through several tiles' worth of columns: c[p * tile_cols + j] continues with sum over k of
/// a[k] * b[p * panel_stride + k * tile_cols + j]; the same bits as MultiplyTile.
using MultiplyRow = void (*)(const float* a, const float* b, std::size_t panel_stride, std::size_t panels,
                             std::size_t depth, float* c) noexcept;

/// One tile of a matrix product: c[i][j] continues with sum over k of a[k * tile_rows + i] * b[k * tile_cols
/// + j]. `c` is tile_rows x tile_cols with row stride `c_stride`.
using MultiplyTile = void (*)(const float* a, const float* b, std::size_t depth, float* c,
                              std::size_t c_stride) noexcept;

/// For each of kBlockRows points: the least and the second least score of the centroids seen so far, and the number of
/// the centroid with the least, the lowest on ties. Aligned to 64 bytes.
struct alignas(64) Nearest {
  float least[kBlockRows];
  float second[kBlockRows];
  std::uint32_t number[kBlockRows];
};

/// Goes on with `count` centroids numbered from `first`. The score of centroid c (a row of `depth` values) for point i is
/// half_norms[c] - sum over d of points[d * kBlockRows + i] * centroids[c * depth + d]: one accumulator that begins with
/// half_norms[c], fused multiply-add, ascending d. `points` is aligned to 64 bytes.
using NearestCentroids = void (*)(const float* points, const float* centroids, const float* half_norms,
                                  std::size_t count, std::size_t depth, std::uint32_t first,
                                  Nearest& nearest) noexcept;

/// Lays `count` rows (1 to kBlockRows) minus `mean` side by side for NearestCentroids: value d of row i at
/// points[d * kBlockRows + i]; and their squared norms, plain products added in ascending d. What stands in places
/// without a row is unspecified.
using PackPoints = void (*)(const float* rows, std::size_t stride, std::size_t count, const float* mean,
                            std::size_t depth, float* points, float* square_norms) noexcept;

/// sums[groups[i] * sums_stride + d] += rows[i * stride + d] for every row in turn and every d below `width`.
using AddRows = void (*)(const float* rows, std::size_t stride, const std::uint32_t* groups,
                         std::size_t count, std::size_t width, double* sums,
                         std::size_t sums_stride) noexcept;

/// Bit i of `bits` (bit i % 8 of byte i / 8, the rest of the last byte zero) = values[i] + offsets[i] > 0.
using SignBits = void (*)(const float* values, const float* offsets, std::size_t count,
                          std::uint8_t* bits) noexcept;

/// All scans return the number of blocks done.
struct KernelTable {
  const char* name;
  HammingScan hamming;
  Hamming32Scan hamming32;
  AdcScan adc8;
  AdcScan adc4;
  QuantizedAdcScan quantized_adc8;
  QuantizedAdcScan quantized_adc4;
  QuantizedAdcScan saturated_adc4;
  ByteSums byte_sums;
  SumsUpTo sums_up_to;
  EntryDistances entry_distances;
  TableRanges table_ranges;
  QuantizeTables quantize_tables;
  AdcRows adc8_rows;
  AdcRows adc4_rows;
  RowDistances l2_squared;
  RowDistances inner_product;
  KeyRange key_range;
  CountKeys count_keys;
  KeepKeys keep_keys;
  HalfRowDistances l2_squared_half;
  HalfRowDistances inner_product_half;
  ByteRowDistances l2_squared_bytes;
  ByteRowDistances inner_product_bytes;
  RowSquares<float> row_squares;
  RowSquares<std::uint16_t> row_squares_half;
  RowSquares<std::uint8_t> row_squares_bytes;
  MultiplyRow multiply_row;  ///< null exactly when multiply_tile is
  MultiplyTile multiply_tile;
  std::size_t tile_rows;
  std::size_t tile_cols;  ///< at most 64; tile_rows at most 16
  NearestCentroids nearest_centroids;
  PackPoints pack_points;
  AddRows add_rows;
  SignBits sign_bits;
};

extern const KernelTable kScalarKernels;
#if defined(__x86_64__)
extern const KernelTable kAvx2Kernels;
extern const KernelTable kAvx512Kernels;
/// Only the functions that gain from VBMI or VPOPCNTDQ; the others are null and come from kAvx512Kernels.
extern const KernelTable kAvx512VbmiKernels;
#elif defined(__aarch64__)
/// Hamming distances and those of rows; the others are null and come from kScalarKernels.
extern const KernelTable kNeonKernels;
#endif

}  // namespace medretrieval::kernels
