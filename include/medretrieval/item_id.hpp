/// \file
/// The number that names an item for ever.
#pragma once

#include <cstdint>

namespace medretrieval {

/// Names one item of a gallery: given by the caller or assigned, never used again after a removal.
using ItemId = std::uint64_t;

/// The largest id a caller may give; the rest is kept free.
inline constexpr ItemId kMaxItemId = (ItemId{1} << 63) - 1;

}  // namespace medretrieval
