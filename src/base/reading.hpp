// Errors of readers: what would be a caller's mistake elsewhere is a damaged file here.
#pragma once

#include <string>
#include <utility>

#include "base/concat.hpp"

namespace medretrieval::detail {

/// Calls read(). Values that constructors refuse become Error (corrupt) with `name` in front; other codes pass.
template <class Read>
auto reading(const std::string& name, Read&& read) {
  try {
    return std::forward<Read>(read)();
  } catch (const Error& error) {
    switch (error.code()) {
      case ErrorCode::invalid_argument:
      case ErrorCode::incompatible:
      case ErrorCode::limit_exceeded:
        fail(ErrorCode::corrupt, name, ": ", error.what());
      default:
        throw;
    }
  }
}

}  // namespace medretrieval::detail
