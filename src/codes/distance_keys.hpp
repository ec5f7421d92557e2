// Distances as whole numbers in the same order, so that many are compared at once, and the choice of the nearest of them.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace medretrieval::detail {

/// Keys of distances are in the order of the distances; both zeros have the same.
inline std::int32_t key_of(float distance) noexcept {
  const auto bits = std::bit_cast<std::int32_t>(distance + 0.0F);
  return bits ^ (bits >> 31 & 0x7fffffff);
}
inline float distance_of(std::int32_t key) noexcept {
  return std::bit_cast<float>(key ^ (key >> 31 & 0x7fffffff));
}

/// How many keys lie at or below a bound.
struct KeyCut {
  std::int32_t bound = 0;
  std::size_t count = 0;
};

/// A bound with at least `wanted` keys at or below it, and at most `most`; or, where several keys are equal, more: then the
/// bound is such a key, and fewer than `wanted` lie below it. key_of(distance_of(bound)) is the bound.
/// \param keys at least `wanted`
/// \param wanted at least 1
KeyCut cut_keys(std::span<const std::int32_t> keys, std::size_t wanted, std::size_t most);

}  // namespace medretrieval::detail
