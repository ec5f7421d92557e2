// The check that options share.
#pragma once

#include <type_traits>

#include "base/concat.hpp"

namespace medretrieval::imaging {

/// \throws Error (invalid_argument) unless low <= value <= high; also for NaN.
template <class Number>
void require_range(const char* name, Number value, std::type_identity_t<Number> low,
                   std::type_identity_t<Number> high) {
  if (!(value >= low && value <= high)) {
    detail::fail(ErrorCode::invalid_argument, name, " must be ", low, " to ", high, ", got ", value);
  }
}

}  // namespace medretrieval::imaging
