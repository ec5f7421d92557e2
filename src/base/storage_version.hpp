// The format version that models and segments share.
#pragma once

#include <cstdint>
#include <medretrieval/bytes.hpp>
#include <medretrieval/stored_features.hpp>

#include "base/concat.hpp"

namespace medretrieval::detail {

/// 1: features as float32; 2: inverted lists, or features as float16; 3: features as uint8.
inline constexpr std::uint32_t kStorageVersion = 3;

/// The lowest version that can hold the content; that one is written.
inline std::uint32_t storage_version(bool has_lists, FeatureType type) noexcept {
  if (type == FeatureType::uint8) return 3;
  return has_lists || type == FeatureType::float16 ? 2 : 1;
}

/// The feature type in a file of `version`, from version 2 on.
inline FeatureType read_feature_type(ByteReader& reader, std::uint32_t version) {
  const auto type = reader.number<std::uint8_t>();
  if (type < 1 || type > version) reader.corrupt(concat("features are stored as type ", int{type}));
  return static_cast<FeatureType>(type);
}

}  // namespace medretrieval::detail
