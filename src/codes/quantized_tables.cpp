#include "codes/quantized_tables.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace medretrieval::detail {

namespace {
constexpr std::size_t kWideTable = 256;      // entries, of 8-bit codes
constexpr double kDoubleSlack = 1 + 1e-12;   // more than the rounding of the few operations in double
constexpr double kFloatSlack = 1 + 0x1p-22;  // more than the rounding of a subtraction and a product in float
constexpr double kWidest = 3e38;             // of tables whose differences stay finite in float
constexpr double kMostSaturatedSum = 254;
/// With more subspaces the sums saturate only where most rows are far beyond the budget: else steps of 1/254 of it let too
/// many rows through.
constexpr std::size_t kFewSubspaces = 32;
constexpr std::size_t kMostSaturatedSubspaces = 64;
constexpr double kFarBudgets = 2;
constexpr double kFinerBelow = 0.9;  // entries are made anew when the budget has fallen to this part
}  // namespace

QuantizedTables::QuantizedTables(const CodeLayout& layout, const float* tables,
                                 const kernels::KernelTable& kernel)
    : subspaces_(layout.subspaces()),
      table_size_(std::size_t{1} << layout.bits_per_entry()),
      tables_(tables),
      kernel_(kernel) {
  if (subspaces_ > kernels::kMaxQuantizedSubspaces) return;
  scan_ = table_size_ == kWideTable ? kernel.quantized_adc8 : kernel.quantized_adc4;
}

void QuantizedTables::find_ranges() {
  ranges_.resize(2 * subspaces_);
  const float* least = ranges_.data();
  const float* largest = least + subspaces_;
  kernel_.table_ranges(tables_, subspaces_, table_size_, ranges_.data(), ranges_.data() + subspaces_);
  double magnitude = 0;
  for (std::size_t m = 0; m < subspaces_; ++m) {
    const auto low = static_cast<double>(least[m]);
    const auto high = static_cast<double>(largest[m]);
    base_ += low;
    widest_ = std::max(widest_, high - low);
    middle_ += (high - low) / 2;
    magnitude += std::max(std::fabs(low), std::fabs(high));
  }
  if (widest_ > kWidest) scan_ = nullptr;
  // Each float sum is a tree of at most subspaces / 16 + 5 additions, each off by at most 2^-24 of its result.
  const std::size_t additions = subspaces_ / 16 + 6;
  rounding_ = magnitude * static_cast<double>(additions) * 0x1p-24;
}

/// Sums of bytes, or of 16 bits.
void QuantizedTables::choose_scan(double budget) {
  if (table_size_ == kWideTable) return;
  saturates_ = subspaces_ <= kFewSubspaces ||
               (subspaces_ <= kMostSaturatedSubspaces && middle_ >= kFarBudgets * budget);
  scan_ = saturates_ ? kernel_.saturated_adc4 : kernel_.quantized_adc4;
}

void QuantizedTables::quantize(double budget) {
  choose_scan(budget);
  const float largest_entry =
      table_size_ == kWideTable || saturates_ ? 255 : static_cast<float>(kernels::kMostQuantized4);
  // Entries above the budget saturate: no row with one of them can stay.
  const double step = saturates_ ? budget / kMostSaturatedSum
                                 : std::min(widest_, budget) / static_cast<double>(largest_entry);
  quantized_budget_ = budget;
  entries_.resize((subspaces_ + subspaces_ % 2) * table_size_);
  const double most = static_cast<double>(std::numeric_limits<float>::max());
  const auto scale =
      step > 0 ? static_cast<float>(std::min(1 / step / kFloatSlack / kFloatSlack, most)) : 0.0F;
  steps_ = static_cast<double>(scale) * kFloatSlack;
  kernel_.quantize_tables(tables_, subspaces_, table_size_, ranges_.data(), scale, largest_entry,
                          entries_.data());
}

bool QuantizedTables::update(float threshold) {
  if (scan_ == nullptr || !std::isfinite(threshold)) return false;
  if (!ranges_.empty() && threshold == threshold_) return true;
  if (ranges_.empty()) find_ranges();
  if (scan_ == nullptr) return false;
  threshold_ = threshold;
  const double budget = std::max(0.0, static_cast<double>(threshold) + rounding_ - base_);
  if (entries_.empty() || budget < quantized_budget_ * kFinerBelow) quantize(budget);
  const double sum = std::floor(budget * steps_ * kDoubleSlack);
  limit_ = static_cast<std::uint16_t>(
      std::min<double>(sum, saturates_ ? kMostSaturatedSum : std::numeric_limits<std::uint16_t>::max()));
  return true;
}

}  // namespace medretrieval::detail
