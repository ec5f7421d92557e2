#include <xxhash.h>

#include <medretrieval/error.hpp>
#include <medretrieval/fingerprint.hpp>

#include "base/concat.hpp"

namespace medretrieval {

std::string Fingerprint::to_string() const {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text(32, '0');
  for (std::size_t i = 0; i < 16; ++i) {
    text[15 - i] = kDigits[(high >> (4 * i)) & 15];
    text[31 - i] = kDigits[(low >> (4 * i)) & 15];
  }
  return text;
}

Fingerprint Fingerprint::from_string(std::string_view text) {
  Fingerprint result;
  bool good = text.size() == 32;
  for (std::size_t i = 0; good && i < 32; ++i) {
    const std::size_t digit = std::string_view("0123456789abcdef").find(text[i]);
    good = digit != std::string_view::npos;
    auto& half = i < 16 ? result.high : result.low;
    half = half << 4 | digit;
  }
  if (!good) {
    detail::fail(ErrorCode::invalid_argument, "a fingerprint is 32 lower-case hexadecimal digits, got '",
                 text, "'");
  }
  return result;
}

Fingerprint Fingerprint::of(std::span<const std::byte> bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.high64, hash.low64};
}

}  // namespace medretrieval
