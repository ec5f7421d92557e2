/// \file
/// SYNTHETIC data in the form of LIDC-IDRI, so that its reader can be tried without patient data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>

#include <medretrieval/progress.hpp>

namespace medretrieval::imaging {

/// What is written.
struct PhantomLidcOptions {
  std::size_t patients = 20;      ///< 1 to 100,000; each has one nodule
  std::size_t slices = 9;         ///< of a series, 3 to 64, the middle one through the middle of the nodule
  double slice_spacing_mm = 2.5;  ///< 0.5 to 10
  std::size_t side = 256;         ///< pixels along a side of a slice of 360 mm, 64 to 1024
  std::uint64_t seed = 1;
  int threads = 0;  ///< 0: all

  /// \throws Error (invalid_argument) naming the field, its range and its value.
  void validate() const;
};

/// Writes for each patient a folder PATIENT/STUDY/SERIES with a whole-chest CT series in DICOM and the
/// annotation file of four readers, of whom at least one outlines the nodule. Their outlines and ratings differ
/// a little; some mark a further place as a nodule below 3 mm or as no nodule. Names and headers say that
/// everything is synthetic. The same options give the same bytes on every machine. The folder must be empty or
/// not exist.
/// \throws Error already_exists, invalid_argument, io, cancelled; on failure the files written so far are
///        removed, and the folder too if it was made here.
void write_phantom_lidc_idri(const std::filesystem::path& folder, const PhantomLidcOptions& options,
                             const Progress& progress = {});

}  // namespace medretrieval::imaging
