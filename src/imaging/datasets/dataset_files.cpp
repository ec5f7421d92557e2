#include "imaging/datasets/dataset_files.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>

#include "base/concat.hpp"

namespace medretrieval::imaging::datasets {

using detail::fail;
namespace fs = std::filesystem;

namespace {

// A backslash parts folders on one system and is an odd name on the others; none of the sets has any.
bool is_plain_part(std::string_view part) {
  return !part.empty() && part.front() != '.' && part.find_first_of("/\\:") == std::string_view::npos;
}

}  // namespace

fs::path need_file(const fs::path& root, std::initializer_list<std::string_view> names) {
  std::string tried;
  for (const std::string_view name : names) {
    std::error_code error;
    if (fs::is_regular_file(root / name, error)) return root / name;
    tried.append(tried.empty() ? "" : ", ").append(name);
  }
  fail(ErrorCode::not_found, "no file ", tried, " in ", root.string());
}

const std::string& file_name(const CsvTable& table, std::size_t column) {
  const std::string& name = table.text(column);
  if (!is_plain_part(name)) table.refuse(column, "the name of a file");
  return name;
}

std::vector<std::string> path_parts(const CsvTable& table, std::size_t column) {
  std::vector<std::string> parts;
  std::string_view rest = table.text(column);
  do {
    const std::size_t end = std::min(rest.find('/'), rest.size());
    parts.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (!is_plain_part(parts.back())) table.refuse(column, "a path below the root");
  } while (!rest.empty());
  return parts;
}

std::string stem(const std::string& file_name) {
  return file_name.substr(0, file_name.rfind('.'));
}

std::string padded(std::int64_t number, std::size_t digits) {
  std::string text = std::to_string(number);
  if (text.size() < digits) text.insert(0, digits - text.size(), '0');
  return text;
}

std::string number_text(double value) {
  std::array<char, 32> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::general, 6).ptr;
  return {text.data(), end};
}

void append_to_list(std::string& list, std::string_view separator, std::string_view part) {
  if (!list.empty()) list += separator;
  list += part;
}

void ImageFolders::add(const fs::path& folder) {
  std::error_code error;
  if (fs::is_directory(folder, error)) folders_.push_back(folder);
}

std::optional<fs::path> ImageFolders::find(const std::string& name) {
  for (std::size_t i = 0; i < folders_.size(); ++i) {
    std::error_code error;
    fs::path file = folders_[i] / name;
    if (!fs::is_regular_file(file, error)) continue;
    std::swap(folders_[0], folders_[i]);
    return file;
  }
  return std::nullopt;
}

fs::path ImageFolders::find_or_expect(const std::string& name, const fs::path& root) {
  return find(name).value_or(root / name);
}

}  // namespace medretrieval::imaging::datasets
