#include "kernels/dispatch.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <cstdlib>
#include <string>
#include <string_view>

#include "base/concat.hpp"

namespace medretrieval::kernels {

namespace {

/// `part`, with the functions it leaves out taken from `whole`.
[[maybe_unused]] KernelTable completed(KernelTable part, const KernelTable& whole) {
  const auto fill = [](auto& function, auto fallback) {
    if (function == nullptr) function = fallback;
  };
  fill(part.hamming, whole.hamming);
  fill(part.hamming32, whole.hamming32);
  fill(part.adc8, whole.adc8);
  fill(part.adc4, whole.adc4);
  fill(part.quantized_adc8, whole.quantized_adc8);
  fill(part.quantized_adc4, whole.quantized_adc4);
  fill(part.saturated_adc4, whole.saturated_adc4);
  fill(part.byte_sums, whole.byte_sums);
  fill(part.sums_up_to, whole.sums_up_to);
  fill(part.entry_distances, whole.entry_distances);
  fill(part.table_ranges, whole.table_ranges);
  fill(part.quantize_tables, whole.quantize_tables);
  fill(part.adc8_rows, whole.adc8_rows);
  fill(part.adc4_rows, whole.adc4_rows);
  fill(part.l2_squared, whole.l2_squared);
  fill(part.inner_product, whole.inner_product);
  fill(part.key_range, whole.key_range);
  fill(part.count_keys, whole.count_keys);
  fill(part.keep_keys, whole.keep_keys);
  fill(part.l2_squared_half, whole.l2_squared_half);
  fill(part.inner_product_half, whole.inner_product_half);
  fill(part.l2_squared_bytes, whole.l2_squared_bytes);
  fill(part.inner_product_bytes, whole.inner_product_bytes);
  fill(part.row_squares, whole.row_squares);
  fill(part.row_squares_half, whole.row_squares_half);
  fill(part.row_squares_bytes, whole.row_squares_bytes);
  fill(part.nearest_centroids, whole.nearest_centroids);
  fill(part.pack_points, whole.pack_points);
  fill(part.add_rows, whole.add_rows);
  fill(part.sign_bits, whole.sign_bits);
  if (part.multiply_tile == nullptr) {
    part.multiply_row = whole.multiply_row;
    part.multiply_tile = whole.multiply_tile;
    part.tile_rows = whole.tile_rows;
    part.tile_cols = whole.tile_cols;
  }
  return part;
}

#if defined(__x86_64__)
// Some compilers do not know this feature by name.
bool has_f16c() {
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_F16C) != 0;
}
#endif

std::vector<KernelTable> find_supported() {
  std::vector<KernelTable> tables = {kScalarKernels};
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("bmi2");
  const bool vbmi =
      avx512 && __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vpopcntdq");
  if (avx2) tables.push_back(completed(kAvx2Kernels, kScalarKernels));
  if (avx512) tables.push_back(kAvx512Kernels);
  if (vbmi) tables.push_back(completed(kAvx512VbmiKernels, tables.back()));
#elif defined(__aarch64__)
  tables.push_back(completed(kNeonKernels, kScalarKernels));
#endif
  return tables;
}

const KernelTable& choose() {
  const char* forced = std::getenv("MEDRETRIEVAL_FORCE_ISA");
  if (forced == nullptr || *forced == '\0') return supported().back();
  std::string names;
  for (const auto& table : supported()) {
    if (std::string_view(forced) == table.name) return table;
    names += names.empty() ? "" : ", ";
    names += table.name;
  }
  detail::fail(ErrorCode::unsupported, "MEDRETRIEVAL_FORCE_ISA: this machine can run ", names, "; got '",
               forced, "'");
}

}  // namespace

const std::vector<KernelTable>& supported() {
  static const std::vector<KernelTable> tables = find_supported();
  return tables;
}

const KernelTable& active() {
  static const KernelTable& table = choose();
  return table;
}

}  // namespace medretrieval::kernels
