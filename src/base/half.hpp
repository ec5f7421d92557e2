// Conversion between float32 and binary16.
#pragma once

#include <bit>
#include <cstdint>

namespace medretrieval::detail {

/// The float32 that equals a binary16.
inline float from_half(std::uint16_t half) noexcept {
  const std::uint32_t exponent = half >> 10U & 31U;
  const std::uint32_t fraction = half & 1023U;
  const std::uint32_t wide = exponent == 31 ? 255U : exponent + 112U;
  const float magnitude = exponent == 0 ? static_cast<float>(fraction) * 0x1p-24F
                                        : std::bit_cast<float>(wide << 23U | fraction << 13U);
  return (half & 0x8000U) != 0 ? -magnitude : magnitude;
}

/// The nearest binary16, the even one on ties.
/// \param value of magnitude up to 65,504
inline std::uint16_t to_half(float value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = bits >> 16U & 0x8000U;
  std::uint32_t magnitude = bits & 0x7fffffffU;
  if (magnitude < 0x38800000U) {  // below the smallest normal half: adding 0.5 leaves its last bits of 2^-24
    magnitude = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + 0.5F) - 0x3f000000U;
    return static_cast<std::uint16_t>(sign | magnitude);
  }
  magnitude += 0xfffU + (magnitude >> 13U & 1U);
  return static_cast<std::uint16_t>(sign | ((magnitude - 0x38000000U) >> 13U));
}

}  // namespace medretrieval::detail
