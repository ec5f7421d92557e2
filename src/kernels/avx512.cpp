// AVX-512 F, BW, DQ and VL. See kernel_table.hpp for layouts and the fixed orders of floating point.
#include "kernels/parts/adc_avx512.hpp"
#include "kernels/parts/byte_sums_avx512.hpp"
#include "kernels/parts/dense_avx512.hpp"
#include "kernels/parts/hamming_avx512.hpp"
#include "kernels/parts/keys_avx512.hpp"
#include "kernels/parts/nearest_avx512.hpp"
#include "kernels/parts/points_avx512.hpp"
#include "kernels/parts/quantized8_avx512.hpp"
#include "kernels/parts/quantized_avx512.hpp"
#include "kernels/parts/tables_avx512.hpp"

namespace medretrieval::kernels {

namespace {

/// Bits counted by shuffles over half bytes.
struct ShuffledBits {
  static __m512i in_bytes(__m512i value) noexcept {
    const __m512i counts =
        _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
    const __m512i low_half = _mm512_set1_epi8(15);
    const __m512i low = _mm512_shuffle_epi8(counts, _mm512_and_si512(value, low_half));
    const __m512i high = _mm512_shuffle_epi8(counts, _mm512_and_si512(_mm512_srli_epi16(value, 4), low_half));
    return _mm512_add_epi8(low, high);
  }
  static __m512i in_words(__m512i value) noexcept {
    return _mm512_sad_epu8(in_bytes(value), _mm512_setzero_si512());
  }
  static __m512i in_half_words(__m512i value) noexcept {
    const __m512i pairs = _mm512_maddubs_epi16(in_bytes(value), _mm512_set1_epi8(1));
    return _mm512_madd_epi16(pairs, _mm512_set1_epi16(1));
  }
};

/// Looks up half bytes by shuffles within 128-bit lanes.
struct ShuffledHalves {
  static __m512i low(__m512i table, __m512i bytes) noexcept {
    return _mm512_shuffle_epi8(table, _mm512_and_si512(bytes, _mm512_set1_epi8(15)));
  }
  static __m512i high(__m512i table, __m512i bytes) noexcept {
    return low(table, _mm512_srli_epi16(bytes, 4));
  }
};

}  // namespace

const KernelTable kAvx512Kernels = {.name = "avx512",
                                    .hamming = hamming_of<ShuffledBits>,
                                    .hamming32 = hamming32_of<ShuffledBits>,
                                    .adc8 = adc8,
                                    .adc4 = adc4,
                                    .quantized_adc8 = quantized_adc8_of<ByteSums8>,
                                    .quantized_adc4 = quantized_adc4_of<ShuffledHalves>,
                                    .saturated_adc4 = saturated_adc4_of<ShuffledHalves>,
                                    .byte_sums = byte_sums_of<ShuffledHalves>,
                                    .sums_up_to = sums_up_to,
                                    .entry_distances = entry_distances,
                                    .table_ranges = table_ranges,
                                    .quantize_tables = quantize_tables,
                                    .adc8_rows = adc8_rows,
                                    .adc4_rows = adc4_rows,
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
