#include <algorithm>
#include <cctype>
#include <medretrieval/imaging/augment.hpp>
#include <medretrieval/imaging/load.hpp>
#include <medretrieval/imaging/manifest.hpp>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include "base/concat.hpp"
#include "base/parallel_for.hpp"
#include "imaging/csv_records.hpp"
#include "imaging/datasets/dataset_files.hpp"
#include "imaging/file_bytes.hpp"
#include "imaging/folder_lock.hpp"
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

/// Of the samples of an image file. What is neither PNG nor JPEG has more levels than 8 bits as a rule.
int bits_of(const fs::path& file) {
  constexpr std::size_t kDepthByte = 24;
  const FileKind kind = detect_file_kind(file);
  if (kind == FileKind::jpeg) return 8;
  if (kind != FileKind::png) return 16;
  const auto head = naming_file(file, [&] { return read_head(file, kDepthByte + 1); });
  return head.size() > kDepthByte && head[kDepthByte] == 16 ? 16 : 8;
}

/// Whether this program gave a file that name: digits, a hyphen, digits, ".png".
bool is_copy_name(const std::string& name) {
  const std::size_t hyphen = name.find('-');
  const std::size_t dot = name.find('.');
  const auto are_digits = [&](std::size_t begin, std::size_t end) {
    return begin < end && std::all_of(name.begin() + static_cast<std::ptrdiff_t>(begin),
                                      name.begin() + static_cast<std::ptrdiff_t>(end),
                                      [](unsigned char c) { return std::isdigit(c) != 0; });
  };
  return hyphen != std::string::npos && dot != std::string::npos && hyphen < dot && are_digits(0, hyphen) &&
         are_digits(hyphen + 1, dot) && (name.substr(dot) == ".png" || name.ends_with(".tmp"));
}

/// Copies of earlier runs that are not among those of this one.
void remove_stale(const fs::path& folder, const std::vector<std::size_t>& training, std::size_t copies) {
  std::set<std::string> listed;
  for (const std::size_t row : training) {
    for (std::size_t copy = 1; copy <= copies; ++copy) listed.insert(copy_path(row, copy));
  }
  std::error_code error;
  auto entry = fs::directory_iterator(folder / kFolder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    std::error_code ignored;
    if (is_copy_name(name) && !listed.contains(std::string(kFolder) + "/" + name)) {
      fs::remove(entry->path(), ignored);
    }
  }
}

}  // namespace

void AugmentedFolderOptions::validate() const {
  augmentation.validate();
  if (copies < 1 || copies > 1000)
    fail(ErrorCode::invalid_argument, "copies is ", copies, ", expected 1 to 1000");
  if (bits != 0 && bits != 8 && bits != 16)
    fail(ErrorCode::invalid_argument, "bits is ", bits, ", expected 0, 8 or 16");
}

std::size_t augment_training_images(const fs::path& folder, const AugmentedFolderOptions& options,
                                    const Progress& progress) {
  options.validate();
  const Manifest manifest = read_manifest(folder, folder / "manifest.csv");
  const FolderLock lock(folder);
  const std::vector<std::size_t> training = manifest.rows_of("train");
  naming_file(folder / "manifest.csv", [&] {
    require_usable(manifest, training);
    if (!options.allow_leak) refuse_leak(manifest);
  });
  const fs::path augmented = folder / "manifest_augmented.csv";
  std::error_code error;
  fs::remove(augmented, error);
  if (error) fail(ErrorCode::io, "cannot remove ", augmented.string(), ": ", error.message());
  make_folder(folder / kFolder);
  Reporter reporter(progress, "augment", training.size());
  detail::parallel_for(training.size(), options.threads, [&](std::size_t i) {
    const std::size_t row = training[i];
    const Image image = load_image(manifest.rows[row].file);
    const int bits = options.bits == 0 ? bits_of(manifest.rows[row].file) : options.bits;
    for (std::size_t copy = 1; copy <= options.copies; ++copy) {
      write_png(augment(image, row, copy, options.augmentation), folder / copy_path(row, copy), bits);
    }
    reporter.one_done();
  });
  remove_stale(folder, training, options.copies);
  sync_file_system(folder);
  const std::string text = manifest_text(manifest, training, options.copies);
  write_durable_file(augmented, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  return training.size() * options.copies;
}

}  // namespace medretrieval::imaging
