#include "base/utf8.hpp"

#include <cstddef>
#include <cstdint>

namespace medretrieval::detail {

namespace {

// The bytes of the character that `lead` begins; 0 when no allowed character begins with it.
std::size_t length_of(unsigned char lead) {
  if (lead > 0 && lead < 0x80) return 1;
  if (lead >= 0xC2 && lead < 0xE0) return 2;
  if (lead >= 0xE0 && lead < 0xF0) return 3;
  if (lead >= 0xF0 && lead < 0xF5) return 4;
  return 0;
}

}  // namespace

bool is_utf8(std::string_view text) noexcept {
  constexpr std::uint32_t kSmallest[] = {0, 1, 0x80, 0x800,
                                         0x10000};  // by length: below it, an overlong form
  while (!text.empty()) {
    const auto lead = static_cast<unsigned char>(text.front());
    const std::size_t length = length_of(lead);
    if (length == 0 || length > text.size()) return false;
    std::uint32_t code = length == 1 ? lead : lead & (0x7FU >> length);
    for (const char next : text.substr(1, length - 1)) {
      const auto byte = static_cast<unsigned char>(next);
      if ((byte & 0xC0) != 0x80) return false;
      code = code << 6 | (byte & 0x3FU);
    }
    const bool surrogate = code >= 0xD800 && code < 0xE000;
    if (code < kSmallest[length] || surrogate || code > 0x10FFFF) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace medretrieval::detail
