/// \file
/// SYNTHETIC data in the forms of published data sets, so that their readers can be tried without patient data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <medretrieval/progress.hpp>

namespace medretrieval::imaging {

/// How much is written. A form takes of it what it has: the rest is checked and not used.
struct PhantomDatasetOptions {
  std::size_t patients = 20;  ///< 1 to 99,999
  /// Radiographs or key slices of a patient, at most, 1 to 64: how many each patient has is drawn.
  std::size_t images_per_patient = 3;
  std::size_t slices = 9;  ///< of a CT scan (luna16, lidc-idri), 3 to 64
  std::size_t side = 256;  ///< pixels along a side of every image, 64 to 1024
  std::uint64_t seed = 1;
  int threads = 0;  ///< 0: all

  /// \throws Error (invalid_argument) naming the field, its range and its value.
  void validate() const;
};

/// What was written.
struct PhantomDatasetCounts {
  std::size_t patients = 0;
  std::size_t images = 0;  ///< radiographs, key slices, or slices of scans
};

/// The forms, by the names of their readers (dataset_type_names()).
std::vector<std::string> phantom_dataset_names();

/// One line about a form: the files that are written.
/// \throws Error (not_found) that lists the forms.
std::string phantom_dataset_description(std::string_view name);

/// Whether a form has scans of PhantomDatasetOptions::slices; the others have images_per_patient.
/// \throws Error (not_found) that lists the forms.
bool phantom_dataset_has_scans(std::string_view name);

/// Writes synthetic patients with the publisher's folders, names, tables and lists, as read_dataset() and
/// import_dataset() read them. Boxes, places and labels are those of what was drawn. The same options give the
/// same bytes at any number of threads. The folder must be empty or not exist.
/// \throws Error not_found (no such form), already_exists, invalid_argument, io, cancelled; on failure the
///        files written so far are removed, and the folder too if it was made here.
PhantomDatasetCounts write_phantom_dataset(std::string_view name, const std::filesystem::path& folder,
                                           const PhantomDatasetOptions& options = {},
                                           const Progress& progress = {});

}  // namespace medretrieval::imaging
