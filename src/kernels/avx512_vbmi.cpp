// AVX-512 with VPOPCNTDQ and VBMI. The other kernels are those of avx512.cpp.
#include "kernels/parts/byte_sums_avx512.hpp"
#include "kernels/parts/hamming_avx512.hpp"
#include "kernels/parts/quantized_vbmi.hpp"

namespace medretrieval::kernels {

namespace {

/// Bits counted by the processor.
struct CountedBits {
  static __m512i in_words(__m512i value) noexcept { return _mm512_popcnt_epi64(value); }
  static __m512i in_half_words(__m512i value) noexcept { return _mm512_popcnt_epi32(value); }
};

}  // namespace

const KernelTable kAvx512VbmiKernels = {.name = "avx512_vbmi",
                                        .hamming = hamming_of<CountedBits>,
                                        .hamming32 = hamming32_of<CountedBits>,
                                        .adc8 = nullptr,
                                        .adc4 = nullptr,
                                        .quantized_adc8 = quantized_adc8,
                                        .quantized_adc4 = quantized_adc4_of<PermutedHalves>,
                                        .saturated_adc4 = saturated_adc4_of<PermutedHalves>,
                                        .byte_sums = byte_sums_of<PermutedHalves>,
                                        .sums_up_to = nullptr,
                                        .entry_distances = nullptr,
                                        .table_ranges = nullptr,
                                        .quantize_tables = nullptr,
                                        .adc8_rows = nullptr,
                                        .adc4_rows = nullptr,
                                        .l2_squared = nullptr,
                                        .inner_product = nullptr,
                                        .key_range = nullptr,
                                        .count_keys = nullptr,
                                        .keep_keys = nullptr,
                                        .l2_squared_half = nullptr,
                                        .inner_product_half = nullptr,
                                        .l2_squared_bytes = nullptr,
                                        .inner_product_bytes = nullptr,
                                        .row_squares = nullptr,
                                        .row_squares_half = nullptr,
                                        .row_squares_bytes = nullptr,
                                        .multiply_row = nullptr,
                                        .multiply_tile = nullptr,
                                        .tile_rows = 0,
                                        .tile_cols = 0,
                                        .nearest_centroids = nullptr,
                                        .pack_points = nullptr,
                                        .add_rows = nullptr,
                                        .sign_bits = nullptr};

}  // namespace medretrieval::kernels
