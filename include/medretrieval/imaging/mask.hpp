/// \file
/// Masks: images that say where in another image something lies, listed in a column of its manifest.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <medretrieval/imaging/image.hpp>
#include <medretrieval/imaging/manifest.hpp>

namespace medretrieval::imaging {

/// What a manifest says in place of a path where the image shows nothing that a mask could mark. An empty cell says
/// something else: that it is not known.
inline constexpr std::string_view kNoLesion = "none";

/// What a manifest says of one image's mask.
struct MaskSource {
  std::size_t line = 0;                       ///< of the manifest, from 1
  bool is_known = false;                      ///< false: the cell is empty
  std::optional<std::filesystem::path> file;  ///< nothing where there is no lesion, or it is not known
};

/// The column of masks for these rows of a manifest, in their order. Paths are relative to `folder`. Files are not
/// opened, but they must be there.
/// \param manifest as read_manifest() gives it; `rows` are indices of its rows
/// \throws Error not_found (no such column among Manifest::other_columns: the message lists them; no such file),
///        invalid_argument (a path that leaves the folder). The message gives the line.
std::vector<MaskSource> mask_sources(const std::filesystem::path& folder, const Manifest& manifest,
                                     const std::string& column, const std::vector<std::size_t>& rows);

/// The mask in display units, as stored: 0 to 1, from 0.5 on inside. Without a file it is all 0. Safe to call from
/// many threads at once.
/// \param width, height of the image that it belongs to, in pixels
/// \throws Error as load_image; incompatible (a mask of another size: both are named); invalid_argument (not known).
Image load_mask(const MaskSource& source, std::size_t width, std::size_t height);

}  // namespace medretrieval::imaging
