#include "imaging/import_folder.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>
#include <system_error>

#include "base/concat.hpp"
#include "imaging/file_bytes.hpp"
#include "imaging/import_groups.hpp"

namespace medretrieval::imaging {

using detail::fail;
namespace fs = std::filesystem;

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxNameBytes = 120;
constexpr std::size_t kMaxSettingsBytes = 1 << 20;
constexpr const char* kSettingsFile = "import.json";
constexpr const char* kTemporary = ".tmp";  // as write_file() ends the names of what is half written

bool is_plain_name(const std::string& name) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= kMaxNameBytes && name.front() != '.' && name.front() != '-' &&
         std::all_of(name.begin(), name.end(), is_plain);
}

bool is_unfinished(const fs::path& file) {
  return file.extension() == kTemporary;
}

/// True but for settings that a killed process had only begun to write.
bool has_content(const fs::path& folder) {
  return std::any_of(fs::directory_iterator(folder), fs::directory_iterator(), [](const auto& entry) {
    const std::string name = entry.path().filename().string();
    return !(name.starts_with(kSettingsFile) && is_unfinished(entry.path()));
  });
}

void remove_unfinished_in(const fs::path& folder) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (is_unfinished(entry.path())) fs::remove(entry.path(), ignored);
  }
}

Json read_settings(const fs::path& file) {
  const auto bytes = naming_file(file, [&] { return read_file(file, kMaxSettingsBytes); });
  Json settings = Json::parse(bytes.begin(), bytes.end(), nullptr, false);
  if (!settings.is_object()) {
    fail(ErrorCode::corrupt, file.string(), ": expected the settings of an import, got ", bytes.size(),
         " bytes that are no JSON object; take another folder, or delete this one");
  }
  return settings;
}

/// The names of all that is not the same, as "seed, dates".
std::string differences(const Json& begun, const Json& wanted) {
  std::string names;
  const auto append = [&](const std::string& name) { names += (names.empty() ? "" : ", ") + name; };
  for (const auto& [name, value] : wanted.items()) {
    if (!begun.contains(name) || begun.at(name) != value) append(name);
  }
  for (const auto& [name, value] : begun.items()) {
    if (!wanted.contains(name)) append(name);
  }
  return names;
}

}  // namespace

ImportFolder::ImportFolder(fs::path path, const std::string& settings) : path_(std::move(path)) {
  make_folder(path_);
  lock_.emplace(path_);
  try {
    take_up(settings);
    make_folder(images());
    remove_unfinished();
  } catch (const fs::filesystem_error& error) {
    fail(ErrorCode::io, error.what());
  }
}

void ImportFolder::take_up(const std::string& settings) const {
  const fs::path file = path_ / kSettingsFile;
  const bool begun = fs::exists(file);
  if (!begun && has_content(path_)) {
    fail(ErrorCode::already_exists, path_.string(), " is not empty and no import was begun there");
  }
  if (!begun || !has_results()) {
    write_durable_file(file, {reinterpret_cast<const std::uint8_t*>(settings.data()), settings.size()});
    return;
  }
  const std::string names = differences(read_settings(file), Json::parse(settings));
  if (!names.empty()) {
    fail(ErrorCode::incompatible, path_.string(), " was begun with other options or other data (", names,
         " differ; import.json there has what it was begun with); take another folder");
  }
}

bool ImportFolder::has_results() const {
  return fs::exists(manifest()) || (fs::exists(images()) && !fs::is_empty(images()));
}

void ImportFolder::remove_unfinished() const {
  remove_unfinished_in(path_);
  remove_unfinished_in(images());
  fs::remove(path_ / "manifest.csv.unfinished");
}

std::string ImportFolder::image_path(const std::string& key) {
  const std::string name = is_plain_name(key) ? key : fingerprint_of(key).to_string();
  return "images/" + name + ".png";
}

}  // namespace medretrieval::imaging
