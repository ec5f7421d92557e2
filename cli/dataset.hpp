// A folder of images with its manifest, as items and features.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <map>
#include <medretrieval/eval/protocol.hpp>
#include <medretrieval/imaging/manifest.hpp>
#include <medretrieval/imaging/mask.hpp>
#include <medretrieval/item.hpp>
#include <medretrieval/matrix.hpp>
#include <string>
#include <vector>

#include "feature_maker.hpp"

namespace medretrieval::cli {

/// Where the images are and which column means what.
struct DatasetOptions {
  std::string folder;
  std::string manifest;
  imaging::ManifestOptions columns;
  bool allow_leak = false;

  /// Adds --data, --manifest and the column options.
  void add_to(CLI::App& command, bool required);
  /// Adds the column options alone.
  void add_columns_to(CLI::App& command);
  /// Adds --allow-leak, for commands that check_splits().
  void add_leak_flag(CLI::App& command);
};

/// Types of the columns that become attributes.
using AttributeTypes = std::map<std::string, ColumnType>;

/// How far the splits of a manifest keep patients apart.
struct PatientSplits {
  std::size_t in_two_splits = 0;
  std::size_t rows_without_patient = 0;

  /// One sentence for texts and reports.
  std::string sentence() const;
};

PatientSplits patient_splits(const imaging::Manifest& manifest);

/// imaging::mask_sources(), whose errors name the manifest.
std::vector<imaging::MaskSource> masks_in(const std::string& manifest_file,
                                          const std::filesystem::path& folder,
                                          const imaging::Manifest& manifest, const std::string& column,
                                          const std::vector<std::size_t>& rows);

class Dataset {
 public:
  /// \throws Error see imaging::read_manifest().
  explicit Dataset(const DatasetOptions& options);

  const imaging::Manifest& manifest() const { return manifest_; }
  /// \throws Error (incompatible) where a patient is in two splits without --allow-leak.
  PatientSplits check_splits() const;
  std::vector<std::size_t> all_rows() const;
  /// Every label of the manifest, in order of first appearance.
  std::vector<std::string> vocabulary() const;

  /// Rows as items: key and source from the path; columns named study, modality and date fill those fields;
  /// other columns become attributes. A column is a number when all its values are (texts with leading zeros
  /// or more than 15 digits are not), unless `known` says otherwise.
  /// \throws Error (invalid_argument) for a value that is not of its column's known type, or no date.
  std::vector<Item> items(const std::vector<std::size_t>& rows, const AttributeTypes& known = {}) const;

  ImageFeatures features(const std::vector<std::size_t>& rows, const FeatureMaker& maker, int threads) const;

 private:
  bool is_number_column(std::size_t column) const;

  DatasetOptions options_;
  imaging::Manifest manifest_;
};

/// eval::json_table() with "patients_in_two_splits" and "rows_without_patient", as a line.
std::string json_results(const std::vector<eval::EvaluationRow>& rows, const PatientSplits& patients);

}  // namespace medretrieval::cli
