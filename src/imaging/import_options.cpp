#include "imaging/import_options.hpp"

#include <algorithm>
#include <medretrieval/version.hpp>
#include <nlohmann/json.hpp>
#include <system_error>

#include "base/concat.hpp"

namespace medretrieval::imaging {

using detail::fail;
namespace fs = std::filesystem;

namespace {

/// What is written must not become data: the folder lies outside of the root.
void check_folder(const fs::path& root, const fs::path& folder) {
  std::error_code error;  // what cannot be resolved is refused later, when it is opened
  const fs::path outer = fs::weakly_canonical(root, error);
  const fs::path inner = fs::weakly_canonical(folder, error);
  if (error) return;
  const auto [end, ignored] = std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end());
  if (end != outer.end()) return;
  fail(ErrorCode::invalid_argument, "the folder ", folder.string(), " to write to lies in the data set ",
       root.string(), "; take one outside of it");
}

void check_official_split(const DatasetType& type, const fs::path& root) {
  if (!type.has_official_split) {
    fail(ErrorCode::invalid_argument, "the data set '", type.name,
         "' has no official split; split by patient");
  }
  std::string missing;
  std::error_code error;
  for (const std::string& name : type.official_files) {
    if (!fs::is_regular_file(root / name, error)) missing += (missing.empty() ? "" : ", ") + name;
  }
  if (!missing.empty() && fs::is_directory(root, error)) {
    fail(ErrorCode::not_found, "the official split of '", type.name, "' needs ", missing, ", not found in ",
         root.string());
  }
}

void check_options(const DatasetType& type, const ImportOptions& options) {
  options.validate();
  if (type.has_identities && options.key_file.empty() && !options.keep_identities) {
    fail(
        ErrorCode::invalid_argument, "the ids of the data set '", type.name,
        "' can be those of a hospital: give a key file, so that digests replace them, or say that they stay");
  }
}

}  // namespace

DatePolicy date_policy(const ImportOptions& options) {
  return options.dates.value_or(options.key_file.empty() ? DatePolicy::keep : DatePolicy::remove);
}

void check_import(const DatasetType& type, const ImportOptions& options, const fs::path& root,
                  const fs::path& folder) {
  check_options(type, options);
  if (options.split == SplitRule::official) check_official_split(type, root);
  check_folder(root, folder);
}

std::string settings_text(const DatasetType& type, const ImportOptions& options, const IdDigest* digest,
                          const SourceState& source) {
  nlohmann::ordered_json parameters = nlohmann::ordered_json::object();
  for (const auto& [name, value] : complete_parameters(options.parameters, type.options, type.name)) {
    parameters[name] = medretrieval::to_string(value);
  }
  constexpr const char* kDates[] = {"keep", "shift", "remove"};
  const std::string state = source.fingerprint.to_string();  // of names of files among others
  const nlohmann::ordered_json settings = {
      {"format", 2},
      {"library", version()},
      {"dataset", type.name},
      {"dataset_version", type.version},
      {"options", parameters},
      {"data", digest == nullptr ? state : digest->of("data", state)},
      {"data_files", source.files},
      {"data_bytes", source.bytes},
      {"split", options.split == SplitRule::official ? "official" : "patient"},
      {"seed", options.seed},
      {"train_share", options.train_share},
      {"database_share", options.database_share},
      {"allow_leak", options.allow_leak},
      {"ids", digest == nullptr ? "as published" : "HMAC-SHA-256, 128 bits"},
      {"key_check", digest == nullptr ? "" : digest->of("key", "check")},
      {"dates", kDates[static_cast<std::size_t>(date_policy(options))]},
      {"bits", options.bits == 0 ? type.bits : options.bits},
      {"longest_side", options.longest_side}};
  return settings.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

void ImportOptions::validate() const {
  const auto is_share = [](double value) { return value >= 0 && value <= 1; };
  if (!is_share(train_share) || !is_share(database_share) || train_share + database_share > 1) {
    fail(ErrorCode::invalid_argument,
         "train_share and database_share must be 0 to 1 and come to at most 1, got ", train_share, " and ",
         database_share);
  }
  if (bits != 0 && bits != 8 && bits != 16) {
    fail(ErrorCode::invalid_argument, "bits must be 0, 8 or 16, got ", bits);
  }
  if (longest_side > kMaxImageSide) {
    fail(ErrorCode::invalid_argument, "longest_side must be 0 to ", kMaxImageSide, ", got ", longest_side);
  }
  if (dates == DatePolicy::shift && key_file.empty()) {
    fail(ErrorCode::invalid_argument, "shifting dates needs a key file");
  }
}

}  // namespace medretrieval::imaging
