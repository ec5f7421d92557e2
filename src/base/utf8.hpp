// Is this text UTF-8? What is not would make invalid JSON further on.
#pragma once

#include <string_view>

namespace medretrieval::detail {

/// True for well-formed UTF-8 (no overlong forms, no surrogates, nothing above U+10FFFF) without zero bytes.
bool is_utf8(std::string_view text) noexcept;

}  // namespace medretrieval::detail
