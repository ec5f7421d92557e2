// Lookup tables of one query in bytes, for a scan that leaves out only what cannot be near enough.
#pragma once

#include <cstdint>
#include <medretrieval/codes.hpp>
#include <vector>

namespace medretrieval::detail {

/// For a table t_m with minimum b_m and a step D, entry j is q_m[j] = floor((t_m[j] - b_m) / D), at most the largest
/// byte allowed. The sum S of a row's float entries and the sum Q of its bytes then satisfy b + D Q <= S with b the sum
/// of the b_m. A row is left out only when Q exceeds (T + E - b) / D, where T is the threshold and E bounds the rounding
/// of the float sum: so no row with a float sum up to T is ever left out. docs/performance.md has the derivation.
class QuantizedTables {
 public:
  /// \param tables subspaces * 2^bits_per_entry finite values; must outlive this
  QuantizedTables(const CodeLayout& layout, const float* tables);

  /// Prepares for a threshold at or below that of the last call. False when no finite threshold is known yet.
  bool update(float threshold);
  const std::uint8_t* entries() const noexcept { return entries_.data(); }
  /// The largest sum of bytes of a row that may have to stay.
  std::uint16_t limit() const noexcept { return limit_; }

 private:
  void find_ranges();
  void quantize(double budget);

  std::size_t subspaces_;
  std::size_t table_size_;
  int largest_byte_;
  const float* tables_;
  std::vector<float> minima_;    // of each table, empty until needed
  double base_ = 0;              // sum of the minima
  double widest_ = 0;            // largest range of a table
  double rounding_ = 0;          // E
  double step_ = 0;              // D
  double quantized_budget_ = 0;  // T + E - b when the entries were made
  float threshold_ = 0;
  std::uint16_t limit_ = 0;
  std::vector<std::uint8_t> entries_;
};

}  // namespace medretrieval::detail
