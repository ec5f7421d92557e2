// NEON on 64-bit Arm: Hamming and row distances. The other kernels are those of scalar.cpp.
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

inline Lanes load(const float* values) noexcept {
  return {{vld1q_f32(values), vld1q_f32(values + 4), vld1q_f32(values + 8), vld1q_f32(values + 12)}};
}

/// The first `count` (below 16) floats, then zeros.
inline Lanes load_partial(const float* values, std::size_t count) noexcept {
  float padded[16] = {};
  for (std::size_t i = 0; i < count; ++i) padded[i] = values[i];
  return load(padded);
}

inline float sum_lanes(const Lanes& lanes) noexcept {
  const float32x4_t four =
      vaddq_f32(vaddq_f32(lanes.part[0], lanes.part[2]), vaddq_f32(lanes.part[1], lanes.part[3]));
  const float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
  return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
}

template <class Term>
inline void row_distances(const float* query, const float* base, std::size_t stride,
                          const std::uint32_t* indices, std::size_t count, std::size_t dimension, float* out,
                          const Term& term) noexcept {
  for (std::size_t i = 0; i < count; ++i) {
    const float* row = base + (indices == nullptr ? i : indices[i]) * stride;
    Lanes sums = {{vdupq_n_f32(0), vdupq_n_f32(0), vdupq_n_f32(0), vdupq_n_f32(0)}};
    std::size_t d = 0;
    for (; d + 16 <= dimension; d += 16) {
      const Lanes a = load(query + d);
      const Lanes b = load(row + d);
      for (int p = 0; p < 4; ++p) sums.part[p] = term(a.part[p], b.part[p], sums.part[p]);
    }
    if (d < dimension) {
      const Lanes a = load_partial(query + d, dimension - d);
      const Lanes b = load_partial(row + d, dimension - d);
      for (int p = 0; p < 4; ++p) sums.part[p] = term(a.part[p], b.part[p], sums.part[p]);
    }
    out[i] = sum_lanes(sums);
  }
}

void l2_squared(const float* query, const float* base, std::size_t stride, const std::uint32_t* indices,
                std::size_t count, std::size_t dimension, float* out) noexcept {
  row_distances(query, base, stride, indices, count, dimension, out,
                [](float32x4_t a, float32x4_t b, float32x4_t sum) {
                  const float32x4_t difference = vsubq_f32(a, b);
                  return vfmaq_f32(sum, difference, difference);
                });
}

void inner_product(const float* query, const float* base, std::size_t stride, const std::uint32_t* indices,
                   std::size_t count, std::size_t dimension, float* out) noexcept {
  row_distances(query, base, stride, indices, count, dimension, out,
                [](float32x4_t a, float32x4_t b, float32x4_t sum) { return vfmaq_f32(sum, a, b); });
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
                                  .l2_squared = l2_squared,
                                  .inner_product = inner_product,
                                  .key_range = nullptr,
                                  .count_keys = nullptr,
                                  .keep_keys = nullptr,
                                  .l2_squared_half = nullptr,
                                  .inner_product_half = nullptr,
                                  .multiply_row = nullptr,
                                  .multiply_tile = nullptr,
                                  .tile_rows = 0,
                                  .tile_cols = 0,
                                  .nearest_centroids = nullptr,
                                  .pack_points = nullptr,
                                  .add_rows = nullptr,
                                  .sign_bits = nullptr};

}  // namespace medretrieval::kernels
