// The removals file: ids that never come again, and the removed rows of every segment.
#pragma once

#include <medretrieval/fingerprint.hpp>
#include <span>
#include <string>
#include <vector>

#include "gallery/id_set.hpp"

namespace medretrieval::gallery {

struct Removals {
  IdSet ids;
  std::vector<std::vector<std::uint32_t>> rows;  ///< for each segment of the manifest, ascending

  bool empty() const noexcept { return ids.ranges().empty(); }
  std::vector<std::byte> to_bytes() const;
  /// \throws Error corrupt, unsupported.
  static Removals from_bytes(std::span<const std::byte> bytes, const std::string& name,
                             const std::vector<std::uint64_t>& segment_rows);
};

}  // namespace medretrieval::gallery
