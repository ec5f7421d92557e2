// NEON on 64-bit Arm: Hamming distances and those of rows. The other kernels are those of scalar.cpp.
// See kernel_table.hpp for layouts and the fixed orders of floating point.
#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

#include "kernels/parts/scan.hpp"

namespace medretrieval::kernels {
namespace {

/// Appends the masked rows of a block whose distance is up to the threshold.
template <class Distance>
inline void append_up_to(const Distance* distances, std::uint64_t mask, std::uint32_t threshold,
                         std::uint32_t first_row, Survivors& out) noexcept {
  for (; mask != 0; mask &= mask - 1) {
    const auto row = static_cast<std::size_t>(__builtin_ctzll(mask));
    if (distances[row] > threshold) continue;
    out.rows[out.count] = first_row + static_cast<std::uint32_t>(row);
    out.distances[out.count] = static_cast<float>(distances[row]);
    ++out.count;
  }
}

/// Bits set in each 64-bit lane.
inline uint64x2_t popcount64(uint64x2_t value) noexcept {
  return vpaddlq_u32(vpaddlq_u16(vpaddlq_u8(vcntq_u8(vreinterpretq_u8_u64(value)))));
}

std::size_t hamming(const BlockSpan& span, const std::uint64_t* query, const std::uint32_t* weights,
                    std::size_t words, std::uint32_t threshold, Survivors& out) noexcept {
  std::uint64_t distances[kBlockRows];
  return for_each_block(span, words * kBlockRows * 8, out,
                        [&](const std::uint8_t* block, std::uint64_t mask, std::uint32_t first_row) {
                          const auto* codes = reinterpret_cast<const std::uint64_t*>(block);
                          for (std::size_t r = 0; r < kBlockRows; r += 2) {
                            uint64x2_t sum = vdupq_n_u64(0);
                            for (std::size_t w = 0; w < words; ++w) {
                              const uint64x2_t code = vld1q_u64(codes + w * kBlockRows + r);
                              const uint64x2_t bits = popcount64(veorq_u64(code, vdupq_n_u64(query[w])));
                              sum = weights == nullptr
                                        ? vaddq_u64(sum, bits)
                                        : vmlal_u32(sum, vmovn_u64(bits), vdup_n_u32(weights[w]));
                            }
                            vst1q_u64(distances + r, sum);
                          }
                          append_up_to(distances, mask, threshold, first_row, out);
                        });
}

std::size_t hamming32(const BlockSpan& span, std::uint32_t query, std::uint32_t threshold,
                      Survivors& out) noexcept {
  std::uint32_t distances[kBlockRows];
  const uint32x4_t wanted = vdupq_n_u32(query);
  return for_each_block(
      span, kBlockRows * 4, out, [&](const std::uint8_t* block, std::uint64_t mask, std::uint32_t first_row) {
        const auto* codes = reinterpret_cast<const std::uint32_t*>(block);
        for (std::size_t r = 0; r < kBlockRows; r += 4) {
          const uint8x16_t different = vreinterpretq_u8_u32(veorq_u32(vld1q_u32(codes + r), wanted));
          vst1q_u32(distances + r, vpaddlq_u16(vpaddlq_u8(vcntq_u8(different))));
        }
        append_up_to(distances, mask, threshold, first_row, out);
      });
}

struct Lanes {
  float32x4_t part[4];
};

inline Lanes zeros() noexcept {
  return {{vdupq_n_f32(0), vdupq_n_f32(0), vdupq_n_f32(0), vdupq_n_f32(0)}};
}
inline Lanes load(const float* values) noexcept {
  return {{vld1q_f32(values), vld1q_f32(values + 4), vld1q_f32(values + 8), vld1q_f32(values + 12)}};
}
inline Lanes load(const std::uint16_t* halves) noexcept {
  Lanes lanes;
  for (int p = 0; p < 4; ++p) {
    lanes.part[p] = vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(halves + static_cast<std::ptrdiff_t>(p) * 4)));
  }
  return lanes;
}

/// A row: load(d) gives its 16 values from d on, load(d, count) the first `count` (below 16) of them and zeros.
template <class Value>
struct Row {
  explicit Row(const Value* row) noexcept : values(row) {}
  Lanes load(std::size_t d) const noexcept { return kernels::load(values + d); }
  Lanes load(std::size_t d, std::size_t count) const noexcept {
    Value padded[16] = {};
    for (std::size_t i = 0; i < count; ++i) padded[i] = values[d + i];
    return kernels::load(padded);
  }
  const Value* values;
};

template <>
struct Row<std::uint8_t> {
  explicit Row(const std::uint8_t* row) noexcept : bytes(row + kByteRowHead) {
    __builtin_memcpy(&least, row, sizeof least);
    __builtin_memcpy(&step, row + sizeof least, sizeof step);
  }
  Lanes load(std::size_t d) const noexcept { return decoded(vld1q_u8(bytes + d)); }
  Lanes load(std::size_t d, std::size_t count) const noexcept {
    std::uint8_t padded[16] = {};
    for (std::size_t i = 0; i < count; ++i) padded[i] = bytes[d + i];
    const Lanes lanes = decoded(vld1q_u8(padded));
    float values[16] = {};
    for (std::size_t p = 0; p < 4; ++p) vst1q_f32(values + p * 4, lanes.part[p]);
    for (std::size_t i = count; i < 16; ++i) values[i] = 0;
    return kernels::load(values);
  }
  Lanes decoded(uint8x16_t values) const noexcept {
    const uint16x8_t low = vmovl_u8(vget_low_u8(values));
    const uint16x8_t high = vmovl_u8(vget_high_u8(values));
    const auto value = [this](uint16x4_t four) {
      return vfmaq_n_f32(vdupq_n_f32(least), vcvtq_f32_u32(vmovl_u16(four)), step);
    };
    return {{value(vget_low_u16(low)), value(vget_high_u16(low)), value(vget_low_u16(high)),
             value(vget_high_u16(high))}};
  }
  const std::uint8_t* bytes;
  float least = 0;
  float step = 0;
};

/// Stands for a query that is not looked at.
struct NoQuery {
  static Lanes load(std::size_t) noexcept { return zeros(); }
  static Lanes load(std::size_t, std::size_t) noexcept { return zeros(); }
};

inline float sum_lanes(const Lanes& lanes) noexcept {
  const float32x4_t four =
      vaddq_f32(vaddq_f32(lanes.part[0], lanes.part[2]), vaddq_f32(lanes.part[1], lanes.part[3]));
  const float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
  return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
}

template <class Query, class Value, class Term>
inline void row_distances(const Query& query, const Value* base, std::size_t stride,
                          const std::uint32_t* indices, std::size_t count, std::size_t dimension, float* out,
                          const Term& term) noexcept {
  for (std::size_t i = 0; i < count; ++i) {
    const Row<Value> row(base + (indices == nullptr ? i : indices[i]) * stride);
    Lanes sums = zeros();
    std::size_t d = 0;
    for (; d + 16 <= dimension; d += 16) {
      const Lanes a = query.load(d);
      const Lanes b = row.load(d);
      for (int p = 0; p < 4; ++p) sums.part[p] = term(a.part[p], b.part[p], sums.part[p]);
    }
    if (d < dimension) {
      const Lanes a = query.load(d, dimension - d);
      const Lanes b = row.load(d, dimension - d);
      for (int p = 0; p < 4; ++p) sums.part[p] = term(a.part[p], b.part[p], sums.part[p]);
    }
    out[i] = sum_lanes(sums);
  }
}

template <class Value>
void l2_squared(const float* query, const Value* base, std::size_t stride, const std::uint32_t* indices,
                std::size_t count, std::size_t dimension, float* out) noexcept {
  row_distances(Row<float>(query), base, stride, indices, count, dimension, out,
                [](float32x4_t a, float32x4_t b, float32x4_t sum) {
                  const float32x4_t difference = vsubq_f32(a, b);
                  return vfmaq_f32(sum, difference, difference);
                });
}

template <class Value>
void inner_product(const float* query, const Value* base, std::size_t stride, const std::uint32_t* indices,
                   std::size_t count, std::size_t dimension, float* out) noexcept {
  row_distances(Row<float>(query), base, stride, indices, count, dimension, out,
                [](float32x4_t a, float32x4_t b, float32x4_t sum) { return vfmaq_f32(sum, a, b); });
}

template <class Value>
void row_squares(const Value* base, std::size_t stride, const std::uint32_t* indices, std::size_t count,
                 std::size_t dimension, float* out) noexcept {
  row_distances(NoQuery(), base, stride, indices, count, dimension, out,
                [](float32x4_t, float32x4_t b, float32x4_t sum) { return vfmaq_f32(sum, b, b); });
}

}  // namespace

const KernelTable kNeonKernels = {.name = "neon",
                                  .hamming = hamming,
                                  .hamming32 = hamming32,
                                  .adc8 = nullptr,
                                  .adc4 = nullptr,
                                  .quantized_adc8 = nullptr,
                                  .quantized_adc4 = nullptr,
                                  .saturated_adc4 = nullptr,
                                  .byte_sums = nullptr,
                                  .sums_up_to = nullptr,
                                  .entry_distances = nullptr,
                                  .table_ranges = nullptr,
                                  .quantize_tables = nullptr,
                                  .adc8_rows = nullptr,
                                  .adc4_rows = nullptr,
                                  .l2_squared = l2_squared<float>,
                                  .inner_product = inner_product<float>,
                                  .key_range = nullptr,
                                  .count_keys = nullptr,
                                  .keep_keys = nullptr,
                                  .l2_squared_half = l2_squared<std::uint16_t>,
                                  .inner_product_half = inner_product<std::uint16_t>,
                                  .l2_squared_bytes = l2_squared<std::uint8_t>,
                                  .inner_product_bytes = inner_product<std::uint8_t>,
                                  .row_squares = row_squares<float>,
                                  .row_squares_half = row_squares<std::uint16_t>,
                                  .row_squares_bytes = row_squares<std::uint8_t>,
                                  .multiply_row = nullptr,
                                  .multiply_tile = nullptr,
                                  .tile_rows = 0,
                                  .tile_cols = 0,
                                  .nearest_centroids = nullptr,
                                  .pack_points = nullptr,
                                  .add_rows = nullptr,
                                  .sign_bits = nullptr};

}  // namespace medretrieval::kernels
