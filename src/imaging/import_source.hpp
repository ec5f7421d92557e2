// The state of the files of a data set, so that an import that goes on later notices when they have changed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <medretrieval/fingerprint.hpp>

namespace medretrieval::imaging {

/// Of all regular files below a folder, links followed.
struct SourceState {
  std::size_t files = 0;
  std::uint64_t bytes = 0;
  /// Of names below the folder, sizes and times of change, whatever order the files come in.
  Fingerprint fingerprint;

  bool operator==(const SourceState&) const = default;
};

/// Looks at no content. What cannot be looked at does not count, nor does what lies deeper than 64 folders.
SourceState source_state(const std::filesystem::path& root);

}  // namespace medretrieval::imaging
