#include "training_images.hpp"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <medretrieval/imaging/load.hpp>
#include <numeric>
#include <set>
#include <system_error>

namespace medretrieval::cli {

std::vector<std::size_t> training_rows(const imaging::Manifest& manifest,
                                       const std::optional<std::string>& split) {
  const bool has_splits = !manifest.rows.empty() && !manifest.rows.front().split.empty();
  if (!split && !has_splits) {
    std::vector<std::size_t> rows(manifest.rows.size());
    std::iota(rows.begin(), rows.end(), std::size_t{0});
    return rows;
  }
  const std::string name = split.value_or("train");
  auto rows = manifest.rows_of(name);
  if (rows.empty()) {
    std::set<std::string> splits;
    for (const auto& row : manifest.rows) splits.insert(row.split);
    throw Error(ErrorCode::invalid_argument, "--split: expected a split of the manifest ('" +
                                                 CLI::detail::join(splits, "', '") + "'), got '" + name +
                                                 "'");
  }
  return rows;
}

std::string source_of(const std::filesystem::path& file) {
  std::error_code error;  // a file that cannot be read is told when it is
  const auto size = std::filesystem::file_size(file, error);
  const auto time = std::filesystem::last_write_time(file, error).time_since_epoch().count();
  return file.string() + "|" + std::to_string(size) + "|" + std::to_string(time);
}

deep::TrainingImages training_images(const imaging::Manifest& manifest,
                                     const std::vector<std::size_t>& rows) {
  std::vector<std::filesystem::path> files;
  deep::TrainingImages images;
  for (const auto row : rows) {
    files.push_back(manifest.rows[row].file);
    images.labels.push_back(manifest.rows[row].labels);
    images.patients.push_back(manifest.rows[row].patient);
    images.sources.push_back(source_of(manifest.rows[row].file));
  }
  images.load = [files = std::move(files)](std::size_t row) { return imaging::load_image(files[row]); };
  return images;
}

}  // namespace medretrieval::cli
