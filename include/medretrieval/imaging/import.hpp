/// \file
/// A published data set to the general form: a folder of PNG images and the manifest that read_manifest()
/// takes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <medretrieval/imaging/dataset.hpp>
#include <medretrieval/parameters.hpp>
#include <medretrieval/progress.hpp>

namespace medretrieval::imaging {

/// How images are given to the train, database and query splits.
enum class SplitRule {
  /// By a seeded hash of the patient alone (of study, series or image where the patient is unknown), keyed
  /// where there is a key: a patient is in one split, and adding patients moves nobody. A study some of whose
  /// images name a patient is that patient's; one that is known under two patients is left out.
  patient,
  /// As the publisher did: its test part are the queries, its training part is divided among train and
  /// database by patient, its validation part joins the database (and are the queries where there is no test
  /// part).
  official,
};

/// What becomes of study dates.
enum class DatePolicy {
  keep,    ///< PS3.15 E.3.6: Retain Longitudinal Temporal Information With Full Dates
  shift,   ///< with modified dates: into the past, by the same number of days for all images of a patient
  remove,  ///< the basic profile
};

struct ImportOptions {
  Parameters parameters;  ///< of the data set; those left out take their defaults
  SplitRule split = SplitRule::patient;
  std::uint64_t seed = 1;        ///< of the splits
  double train_share = 0.5;      ///< of the patients, 0 to 1
  double database_share = 0.35;  ///< of the patients, 0 to 1; the rest are queries
  /// Write a manifest although an official split has a patient in two parts.
  bool allow_leak = false;
  /// File whose bytes (16 to 4,096) are the key of the digests that replace patient, study, series and image
  /// names. Empty: they stay as published.
  std::filesystem::path key_file;
  /// Let the ids of a data set stay that may be those of a hospital (DatasetType::has_identities).
  bool keep_identities = false;
  /// None: removed where there is a key, as in the basic profile, else kept.
  std::optional<DatePolicy> dates;
  int bits = 0;                  ///< of the PNG images, 8 or 16; 0: as the data set suits
  std::size_t longest_side = 0;  ///< larger images are made smaller, to this; 0: none is
  int threads = 0;               ///< 0: all

  /// \throws Error (invalid_argument) naming the field, its range and its value.
  void validate() const;
};

/// Images and patients of one split.
struct SplitCount {
  std::size_t images = 0;
  std::size_t patients = 0;
};

/// What was left out or noted, for one reason.
struct SkippedCount {
  std::size_t count = 0;
  std::vector<std::string> examples;  ///< the first few, with file and line or the like
};

/// What an import did.
struct ImportReport {
  std::size_t images = 0;   ///< in the manifest
  std::size_t written = 0;  ///< of these, made by this run; the others were there already
  std::size_t patients = 0;
  std::map<std::string, SplitCount> splits;
  std::map<std::string, SkippedCount> skipped;  ///< by kind
  std::map<std::string, SkippedCount> noted;    ///< what was not left out but is worth knowing, by kind
  std::size_t patients_in_two_splits = 0;       ///< above 0 only where that was allowed
};

/// Writes the data set `name` under `root` to `folder`: images/, manifest.csv and import.json, which says with
/// what options and from what data. The manifest has the columns path, patient_id, labels, split, study, series,
/// modality and date, then the attributes of the data set. An image that cannot be read is left out and counted;
/// another source of the same image then has its turn.
///
/// The data set is read twice: a survey joins patients, studies and series and refuses what it must before
/// anything is written; then images are made. The folder must be empty, not exist, or be the same import begun
/// before, of a data set whose files have the same names, sizes and times of change (the root may have moved):
/// then whole images that are there are not made again, and the result has the same bytes as an import that was
/// never interrupted. Memory grows by some 100 bytes an image and 200 a study or series, not by the images
/// themselves. Progress comes in two stages, "survey" and "import".
///
/// While it runs, OpenCV's own threads are switched off in the whole process (cv::setNumThreads), so that they do
/// not compete with `threads`; afterwards they are as before.
/// \throws Error as read_dataset; not_found (no image to import, or none that could be read: there is no manifest
///        then; a file that the official split needs); invalid_argument (options; a data set with identities
///        without a key or keep_identities; an official split that it does not have; a folder inside the root);
///        incompatible (an official split with a patient in two parts, without allow_leak; a folder begun with
///        other options or other data; data that changed meanwhile); corrupt (an import.json that is none);
///        already_exists (a folder with other content); locked (another import writes there); io; cancelled,
///        with the images made so far left for the next run.
ImportReport import_dataset(const std::string& name, const std::filesystem::path& root,
                            const std::filesystem::path& folder, const ImportOptions& options = {},
                            const Progress& progress = {});

}  // namespace medretrieval::imaging
