#include "codes/quantized_tables.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace medretrieval::detail {

namespace {
constexpr double kDoubleSlack = 1 + 1e-12;  // more than the rounding of the few operations in double
}

QuantizedTables::QuantizedTables(const CodeLayout& layout, const float* tables)
    : subspaces_(layout.subspaces()),
      table_size_(std::size_t{1} << layout.bits_per_entry()),
      largest_byte_(layout.bits_per_entry() == 8 ? 255 : 127),
      tables_(tables) {}

void QuantizedTables::find_ranges() {
  double magnitude = 0;
  for (std::size_t m = 0; m < subspaces_; ++m) {
    const float* table = tables_ + m * table_size_;
    float least = table[0];
    float most = table[0];
    for (std::size_t j = 1; j < table_size_; ++j) {
      least = table[j] < least ? table[j] : least;
      most = table[j] > most ? table[j] : most;
    }
    minima_.push_back(least);
    base_ += static_cast<double>(least);
    widest_ = std::max(widest_, static_cast<double>(most) - static_cast<double>(least));
    magnitude += std::max(std::fabs(static_cast<double>(least)), std::fabs(static_cast<double>(most)));
  }
  // Each float sum is a tree of at most subspaces / 16 + 5 additions, each off by at most 2^-24 of its result.
  const std::size_t additions = subspaces_ / 16 + 6;
  rounding_ = magnitude * static_cast<double>(additions) * 0x1p-24;
}

void QuantizedTables::quantize(double budget) {
  // Entries above the budget saturate: no row with one of them can stay.
  step_ = std::min(widest_, budget) / largest_byte_;
  quantized_budget_ = budget;
  entries_.assign((subspaces_ + subspaces_ % 2) * table_size_, 0);
  if (!(step_ > 0)) return;
  const double scale = 1 / step_;
  const double largest = largest_byte_;
  for (std::size_t m = 0; m < subspaces_; ++m) {
    const double least = static_cast<double>(minima_[m]);
    const float* table = tables_ + m * table_size_;
    std::uint8_t* entries = entries_.data() + m * table_size_;
    for (std::size_t j = 0; j < table_size_; ++j) {
      const double level = (static_cast<double>(table[j]) - least) * scale;
      entries[j] = static_cast<std::uint8_t>(static_cast<int>(level < largest ? level : largest));
    }
  }
}

bool QuantizedTables::update(float threshold) {
  if (!std::isfinite(threshold)) return false;
  if (!minima_.empty() && threshold == threshold_) return true;
  if (minima_.empty()) find_ranges();
  threshold_ = threshold;
  const double budget = std::max(0.0, static_cast<double>(threshold) + rounding_ - base_);
  if (entries_.empty() || budget < quantized_budget_ / 2) quantize(budget);
  const double sum = step_ > 0 ? std::floor(budget / step_ * kDoubleSlack) : 0;
  limit_ = static_cast<std::uint16_t>(std::min<double>(sum, std::numeric_limits<std::uint16_t>::max()));
  return true;
}

}  // namespace medretrieval::detail
