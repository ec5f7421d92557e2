// What an import is asked for: checks before it begins, and the settings that its folder keeps.
#pragma once

#include <filesystem>
#include <medretrieval/imaging/import.hpp>
#include <string>

#include "imaging/deidentify.hpp"
#include "imaging/import_source.hpp"

namespace medretrieval::imaging {

/// What becomes of dates: as asked, else removed where there is a key and kept where there is none.
DatePolicy date_policy(const ImportOptions& options);

/// \throws Error invalid_argument (options out of range; ids that may be those of a hospital; no official split; a
///        folder inside the root), not_found (a file that the official split needs).
void check_import(const DatasetType& type, const ImportOptions& options, const std::filesystem::path& root,
                  const std::filesystem::path& folder);

/// All that the bytes of the result depend on, as a JSON object. `digest` may be null.
std::string settings_text(const DatasetType& type, const ImportOptions& options, const IdDigest* digest,
                          const SourceState& source);

}  // namespace medretrieval::imaging
