#include <algorithm>
#include <medretrieval/imaging/augment.hpp>
#include <medretrieval/imaging/load.hpp>
#include <medretrieval/imaging/manifest.hpp>
#include <string>
#include <vector>

#include "base/concat.hpp"
#include "base/parallel_for.hpp"
#include "imaging/csv_records.hpp"
#include "imaging/datasets/dataset_files.hpp"
#include "imaging/file_bytes.hpp"
#include "imaging/reporter.hpp"

namespace medretrieval::imaging {

using detail::fail;
namespace fs = std::filesystem;

namespace {

constexpr const char* kCopyOf = "copy_of";
constexpr const char* kFolder = "augmented";

/// "augmented/000012-003.png".
std::string copy_path(std::size_t row, std::size_t copy) {
  return detail::concat(kFolder, '/', datasets::padded(static_cast<std::int64_t>(row), 6), '-',
                        datasets::padded(static_cast<std::int64_t>(copy), 3), ".png");
}

void append_row(std::string& text, const ManifestRow& row, const std::string& path,
                const std::string& copy_of) {
  std::string labels;
  for (const std::string& label : row.labels) labels += (labels.empty() ? "" : "|") + label;
  text += csv_field(path);
  for (const std::string& field : {row.patient, labels, row.split}) text += "," + csv_field(field);
  for (const std::string& field : row.other) text += "," + csv_field(field);
  text += "," + csv_field(copy_of) + "\r\n";
}

std::string manifest_text(const Manifest& manifest, const std::vector<std::size_t>& training,
                          std::size_t copies) {
  std::string text = "path,patient_id,labels,split";
  for (const std::string& name : manifest.other_columns) text += "," + csv_field(name);
  text += detail::concat(",", kCopyOf, "\r\n");
  for (const ManifestRow& row : manifest.rows) append_row(text, row, row.path, "");
  for (const std::size_t row : training) {
    for (std::size_t copy = 1; copy <= copies; ++copy) {
      append_row(text, manifest.rows[row], copy_path(row, copy), manifest.rows[row].path);
    }
  }
  return text;
}

void require_usable(const Manifest& manifest, const std::vector<std::size_t>& training) {
  if (training.empty()) fail(ErrorCode::invalid_argument, "the manifest has no image whose split is train");
  const auto& names = manifest.other_columns;
  if (std::find(names.begin(), names.end(), kCopyOf) != names.end()) {
    fail(ErrorCode::invalid_argument, "the manifest has a column ", kCopyOf, ": it lists copies already");
  }
}

}  // namespace

void AugmentedFolderOptions::validate() const {
  augmentation.validate();
  if (copies < 1 || copies > 1000)
    fail(ErrorCode::invalid_argument, "copies is ", copies, ", expected 1 to 1000");
  if (bits != 8 && bits != 16) fail(ErrorCode::invalid_argument, "bits is ", bits, ", expected 8 or 16");
}

std::size_t augment_training_images(const fs::path& folder, const AugmentedFolderOptions& options,
                                    const Progress& progress) {
  options.validate();
  const Manifest manifest = read_manifest(folder, folder / "manifest.csv");
  const std::vector<std::size_t> training = manifest.rows_of("train");
  naming_file(folder / "manifest.csv", [&] { require_usable(manifest, training); });
  std::error_code error;
  fs::create_directories(folder / kFolder, error);
  if (error)
    fail(ErrorCode::io, "cannot make the folder ", (folder / kFolder).string(), ": ", error.message());
  Reporter reporter(progress, "augment", training.size());
  detail::parallel_for(training.size(), options.threads, [&](std::size_t i) {
    const std::size_t row = training[i];
    const Image image = load_image(manifest.rows[row].file);
    for (std::size_t copy = 1; copy <= options.copies; ++copy) {
      write_png(augment(image, row, copy, options.augmentation), folder / copy_path(row, copy), options.bits);
    }
    reporter.one_done();
  });
  const std::string text = manifest_text(manifest, training, options.copies);
  write_file(folder / "manifest_augmented.csv",
             {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  return training.size() * options.copies;
}

}  // namespace medretrieval::imaging
