#include "training_images.hpp"

#include <filesystem>
#include <medretrieval/imaging/load.hpp>
#include <set>
#include <system_error>

namespace medretrieval::cli {

std::vector<std::size_t> training_rows(const imaging::Manifest& manifest, const std::string& split) {
  const bool has_splits = !manifest.rows.empty() && !manifest.rows.front().split.empty();
  std::vector<std::size_t> rows;
  for (std::size_t row = 0; row < manifest.rows.size(); ++row) {
    if (!has_splits || manifest.rows[row].split == split) rows.push_back(row);
  }
  return rows;
}

std::vector<std::string> manifest_labels(const imaging::Manifest& manifest) {
  std::vector<std::string> labels;
  std::set<std::string> seen;
  for (const auto& row : manifest.rows) {
    for (const auto& label : row.labels) {
      if (seen.insert(label).second) labels.push_back(label);
    }
  }
  return labels;
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
