// Lookup tables of one query in bytes, for a scan that leaves out only what cannot be near enough.
#pragma once

#include <cstdint>
#include <medretrieval/codes.hpp>
#include <vector>

#include "kernels/kernel_table.hpp"

namespace medretrieval::detail {

/// For a table t_m with minimum b_m and a step D, entry j is at most q_m[j] = floor((t_m[j] - b_m) / D) and at most the
/// largest byte allowed. The sum S of a row's float entries and the sum Q of its bytes then satisfy b + D Q <= S with b
/// the sum of the b_m. A row is left out only when Q exceeds (T + E - b) / D, where T is the threshold and E bounds the
/// rounding of the float sum: so no row with a float sum up to T is ever left out. docs/performance.md has the derivation.
class QuantizedTables {
 public:
  /// \param tables subspaces * 2^bits_per_entry finite values; must outlive this
  QuantizedTables(const CodeLayout& layout, const float* tables, const kernels::KernelTable& kernel);

  /// Prepares for a threshold at or below that of the last call. False when the scan has to be one in float: no finite
  /// threshold is known yet, or the entries are too large to be told apart.
  bool update(float threshold);
  /// What scans the entries that update() made; null where only the float scan can be used.
  kernels::QuantizedAdcScan scan() const noexcept { return scan_; }
  const std::uint8_t* entries() const noexcept { return entries_.data(); }
  /// The largest sum of bytes of a row that may have to stay.
  std::uint16_t limit() const noexcept { return limit_; }

 private:
  void find_ranges();
  void choose_scan(double budget);
  void quantize(double budget);

  std::size_t subspaces_;
  std::size_t table_size_;
  const float* tables_;
  const kernels::KernelTable& kernel_;
  kernels::QuantizedAdcScan scan_ = nullptr;
  bool saturates_ = false;
  std::vector<float> ranges_;  // the least entry of each table, then the largest; empty until needed
  double base_ = 0;            // sum of the least entries
  double widest_ = 0;          // largest range of a table
  double middle_ = 0;          // sum of half the ranges: about what a row's entries exceed the least ones by
  double rounding_ = 0;        // E
  double steps_ = 0;           // 1 / D, or 0
  double quantized_budget_ = 0;  // T + E - b when the entries were made
  float threshold_ = 0;
  std::uint16_t limit_ = 0;
  std::vector<std::uint8_t> entries_;
};

}  // namespace medretrieval::detail
