#include "training_images.hpp"

#include <filesystem>
#include <medretrieval/imaging/load.hpp>

namespace medretrieval::cli {

std::vector<std::size_t> training_rows(const imaging::Manifest& manifest, const std::string& split) {
  const bool has_splits = !manifest.rows.empty() && !manifest.rows.front().split.empty();
  std::vector<std::size_t> rows;
  for (std::size_t row = 0; row < manifest.rows.size(); ++row) {
    if (!has_splits || manifest.rows[row].split == split) rows.push_back(row);
  }
  return rows;
}

deep::TrainingImages training_images(const imaging::Manifest& manifest,
                                     const std::vector<std::size_t>& rows) {
  std::vector<std::filesystem::path> files;
  deep::TrainingImages images;
  for (const auto row : rows) {
    files.push_back(manifest.rows[row].file);
    images.labels.push_back(manifest.rows[row].labels);
    images.patients.push_back(manifest.rows[row].patient);
  }
  images.load = [files = std::move(files)](std::size_t row) { return imaging::load_image(files[row]); };
  return images;
}

}  // namespace medretrieval::cli
