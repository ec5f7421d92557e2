// What the readers of published tables share: finding files, and refusing names that would leave the root.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "imaging/csv_table.hpp"

namespace medretrieval::imaging::datasets {

/// The first of these files that is there.
/// \throws Error (not_found) that lists the names.
std::filesystem::path need_file(const std::filesystem::path& root,
                                std::initializer_list<std::string_view> names);

/// A field that names a file: no folder, nothing hidden.
/// \throws Error (corrupt).
const std::string& file_name(const CsvTable& table, std::size_t column);

/// A field that is a path of at least one component, relative, without "." and "..".
/// \throws Error (corrupt).
std::vector<std::string> path_parts(const CsvTable& table, std::size_t column);

/// The name without its extension.
std::string stem(const std::string& file_name);

/// `number` with zeros in front.
std::string padded(std::int64_t number, std::size_t digits);

/// Up to six significant digits, in any locale.
std::string number_text(double value);

/// Appends to a list kept in one text.
void append_to_list(std::string& list, std::string_view separator, std::string_view part);

/// Folders that images may lie in; looks first where it found the last one.
class ImageFolders {
 public:
  /// Takes `folder` if it is there.
  void add(const std::filesystem::path& folder);
  std::optional<std::filesystem::path> find(const std::string& name);
  /// Where it is, or else where it should be: the import then counts it as missing.
  std::filesystem::path find_or_expect(const std::string& name, const std::filesystem::path& root);

 private:
  std::vector<std::filesystem::path> folders_;
};

}  // namespace medretrieval::imaging::datasets
