/// \file
/// 128-bit content hashes: two objects with the same fingerprint behave the same.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace medretrieval {

/// XXH3-128 of an object's serialized bytes. It detects change and mix-ups, not forgery.
struct Fingerprint {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  auto operator<=>(const Fingerprint&) const = default;
  /// 32 lower-case hexadecimal digits, the high half first.
  std::string to_string() const;
  /// \throws Error (invalid_argument) unless `text` is 32 hexadecimal digits.
  static Fingerprint from_string(std::string_view text);
  static Fingerprint of(std::span<const std::byte> bytes);
};

}  // namespace medretrieval
