#include <algorithm>
#include <medretrieval/imaging/load.hpp>
#include <medretrieval/imaging/mask.hpp>

#include "base/concat.hpp"
#include "imaging/folder_path.hpp"

namespace medretrieval::imaging {

using detail::fail;
namespace fs = std::filesystem;

namespace {

std::size_t column_of(const Manifest& manifest, const std::string& name) {
  const auto& names = manifest.other_columns;
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) {
    std::string listed;
    for (const std::string& other : names) listed += (listed.empty() ? "" : ", ") + other;
    fail(ErrorCode::not_found, "no column of masks \"", name, "\"; the columns without another meaning are ",
         listed);
  }
  return static_cast<std::size_t>(found - names.begin());
}

MaskSource source_of(const fs::path& folder, const ManifestRow& row, const std::string& cell) {
  if (cell.empty()) return {row.line, false, {}};
  if (cell == kNoLesion) return {row.line, true, {}};
  try {
    const fs::path file = path_inside(folder, cell);
    std::error_code error;
    if (!fs::is_regular_file(file, error)) {
      fail(ErrorCode::not_found, "expected a mask, or \"", kNoLesion, "\"; there is no file ", file.string());
    }
    return {row.line, true, file};
  } catch (const Error& error) {
    fail(error.code(), "line ", row.line, ": ", error.what());
  }
}

}  // namespace

std::vector<MaskSource> mask_sources(const fs::path& folder, const Manifest& manifest,
                                     const std::string& column, const std::vector<std::size_t>& rows) {
  const std::size_t place = column_of(manifest, column);
  std::vector<MaskSource> sources;
  sources.reserve(rows.size());
  for (const std::size_t row : rows) {
    const ManifestRow& entry = manifest.rows.at(row);
    sources.push_back(source_of(folder, entry, entry.other.at(place)));
  }
  return sources;
}

Image load_mask(const MaskSource& source, std::size_t width, std::size_t height) {
  if (!source.is_known) {
    fail(ErrorCode::invalid_argument, "line ", source.line, ": expected a mask or \"", kNoLesion,
         "\", got an empty cell");
  }
  if (!source.file) return {width, height, PixelUnit::display};
  Image mask = load_image(*source.file);
  if (mask.width() != width || mask.height() != height) {
    fail(ErrorCode::incompatible, source.file->string(), ": expected a mask of ", width, " x ", height,
         " pixels as its image has, got ", mask.width(), " x ", mask.height());
  }
  return mask;
}

}  // namespace medretrieval::imaging
