// Messages from parts, without a format library.
#pragma once

#include <sstream>
#include <string>

#include <medretrieval/error.hpp>

namespace medretrieval::detail {

/// The parts, printed with operator<< and joined.
template <class... Parts>
std::string concat(const Parts&... parts) {
  std::ostringstream stream;
  (stream << ... << parts);
  return stream.str();
}

/// Throws Error with a message made of the parts.
template <class... Parts>
[[noreturn]] void fail(ErrorCode code, const Parts&... parts) {
  throw Error(code, concat(parts...));
}

}  // namespace medretrieval::detail
