#include "codes/distance_keys.hpp"

#include <algorithm>

#include "kernels/dispatch.hpp"

namespace medretrieval::detail {

namespace {

/// A guess between two bounds of known counts, as if the keys between them lay evenly.
std::int64_t between(std::int64_t low, std::size_t low_count, std::int64_t high, std::size_t high_count,
                     std::size_t wanted) noexcept {
  const double share = static_cast<double>(wanted - low_count) / static_cast<double>(high_count - low_count);
  const auto step = static_cast<std::int64_t>(share * static_cast<double>(high - low));
  return std::clamp(low + step, low + 1, high - 1);
}

}  // namespace

KeyCut cut_keys(std::span<const std::int32_t> keys, std::size_t wanted, std::size_t most) {
  constexpr std::int64_t kNoKey = -1;  // of -0, which counts as 0: no distance has it
  const auto count_keys = kernels::active().count_keys;
  std::int32_t least = 0;
  std::int32_t largest = 0;
  kernels::active().key_range(keys.data(), keys.size(), least, largest);
  std::int64_t low = std::int64_t{least} - 1;  // fewer than wanted lie at or below it
  std::size_t low_count = 0;
  std::int64_t high = largest;  // at least as many as wanted
  std::size_t high_count = keys.size();
  for (int step = 0; high_count > most && high - low > 1; ++step) {
    const std::size_t aim = wanted + (most - wanted) / 2;
    const std::int64_t middle = step % 3 == 2 || aim >= high_count
                                    ? low + (high - low) / 2
                                    : between(low, low_count, high, high_count, aim);
    const std::size_t count = count_keys(keys.data(), keys.size(), static_cast<std::int32_t>(middle));
    if (count < wanted) {
      low = middle;
      low_count = count;
    } else {
      high = middle;
      high_count = count;
    }
  }
  if (high == kNoKey) --high;
  return {static_cast<std::int32_t>(high), high_count};
}

}  // namespace medretrieval::detail
