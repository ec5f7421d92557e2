// Features turned into the form in which galleries keep them.
#pragma once

#include <cstddef>
#include <medretrieval/stored_features.hpp>
#include <vector>

namespace medretrieval::detail {

/// The rows one after the other, as `type` keeps them.
/// \throws Error (invalid_argument) for a value that the type cannot hold.
std::vector<std::byte> to_stored(MatrixView features, FeatureType type);

/// The values that stored rows stand for.
Matrix from_stored(const StoredFeatures& features);

/// Whether every value is one that features may have, so that no distance overflows.
bool are_sound(const StoredFeatures& features);

}  // namespace medretrieval::detail
