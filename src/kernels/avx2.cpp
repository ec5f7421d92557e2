// AVX2 and FMA. See kernel_table.hpp for layouts and the fixed orders of floating point.
#include "kernels/parts/adc_avx2.hpp"
#include "kernels/parts/dense_avx2.hpp"
#include "kernels/parts/hamming_avx2.hpp"
#include "kernels/parts/quantized_avx2.hpp"
#include "kernels/parts/tables_avx2.hpp"

namespace medretrieval::kernels {

const KernelTable kAvx2Kernels = {.name = "avx2",
                                  .hamming = hamming,
                                  .hamming32 = hamming32,
                                  .adc8 = adc8,
                                  .adc4 = adc4,
                                  .quantized_adc8 = nullptr,
                                  .quantized_adc4 = quantized_adc4,
                                  .saturated_adc4 = saturated_adc4,
                                  .table_ranges = table_ranges,
                                  .quantize_tables = quantize_tables,
                                  .adc8_rows = nullptr,
                                  .adc4_rows = nullptr,
                                  .l2_squared = l2_squared,
                                  .inner_product = inner_product,
                                  .multiply_tile = multiply_tile,
                                  .tile_rows = kTileRows,
                                  .tile_cols = kTileCols};

}  // namespace medretrieval::kernels
