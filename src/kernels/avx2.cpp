// AVX2 and FMA. See kernel_table.hpp for layouts and the fixed orders of floating point.
#include "kernels/parts/adc_avx2.hpp"
#include "kernels/parts/byte_sums_avx2.hpp"
#include "kernels/parts/dense_avx2.hpp"
#include "kernels/parts/hamming_avx2.hpp"
#include "kernels/parts/nearest_avx2.hpp"
#include "kernels/parts/quantized8_avx2.hpp"
#include "kernels/parts/quantized_avx2.hpp"
#include "kernels/parts/tables_avx2.hpp"

namespace medretrieval::kernels {

const KernelTable kAvx2Kernels = {.name = "avx2",
                                  .hamming = hamming,
                                  .hamming32 = hamming32,
                                  .adc8 = adc8,
                                  .adc4 = adc4,
                                  .quantized_adc8 = quantized_adc8_of<ByteSums8>,
                                  .quantized_adc4 = quantized_adc4,
                                  .saturated_adc4 = saturated_adc4,
                                  .byte_sums = byte_sums,
                                  .sums_up_to = sums_up_to,
                                  .entry_distances = entry_distances,
                                  .table_ranges = table_ranges,
                                  .quantize_tables = quantize_tables,
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
                                  .multiply_row = multiply_row,
                                  .multiply_tile = multiply_tile,
                                  .tile_rows = kTileRows,
                                  .tile_cols = kTileCols,
                                  .nearest_centroids = nearest_centroids,
                                  .pack_points = nullptr,
                                  .add_rows = nullptr,
                                  .sign_bits = sign_bits};

}  // namespace medretrieval::kernels
