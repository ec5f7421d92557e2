// What libtorch throws, as this library's errors.
#pragma once

#include <c10/util/Exception.h>

#include <string_view>
#include <utility>

#include "base/concat.hpp"

namespace medretrieval::deep {

/// Calls a function. What libtorch refuses (sizes that a layer cannot take, memory that is not there) becomes an
/// Error (unsupported) that says what was done.
template <class Function>
decltype(auto) translated(std::string_view doing, Function&& function) {
  try {
    return std::forward<Function>(function)();
  } catch (const c10::Error& error) {
    detail::fail(ErrorCode::unsupported, doing, ": libtorch says: ", error.what_without_backtrace());
  }
}

}  // namespace medretrieval::deep
