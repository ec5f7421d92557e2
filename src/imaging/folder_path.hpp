// Paths from tables, which must not lead out of their folder.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>

#include "base/concat.hpp"

namespace medretrieval::imaging {

/// `folder` joined with a path that a table gives.
/// \throws Error (invalid_argument) for an absolute path, an empty one and one with "..".
inline std::filesystem::path path_inside(const std::filesystem::path& folder, const std::string& path) {
  const std::filesystem::path relative(path);
  if (path.empty() || relative.has_root_path() ||
      std::find(relative.begin(), relative.end(), "..") != relative.end()) {
    medretrieval::detail::fail(ErrorCode::invalid_argument, "the path \"", path,
                               "\", expected one inside the folder");
  }
  return folder / relative;
}

}  // namespace medretrieval::imaging
