/// \file
/// Phantoms: SYNTHETIC chest images drawn from a seed, so that the library can be tried without patient data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <medretrieval/imaging/image.hpp>
#include <medretrieval/progress.hpp>

namespace medretrieval::imaging {

/// What is drawn.
enum class PhantomKind {
  chest_ct,    ///< axial slices with a lung nodule; label: "benign" or "malignant", malignancy 1-5 beside it
  chest_xray,  ///< frontal radiographs; labels: any of the findings, or "No Finding"
};

/// One synthetic patient's image and the truth it was drawn from.
struct PhantomImage {
  Image image;  ///< chest_ct: Hounsfield units; chest_xray: display units
  std::string patient;
  std::size_t index = 0;            ///< which of the patient's images, from 0
  std::vector<std::string> labels;  ///< at least one
  std::map<std::string, double>
      attributes;  ///< drawn parameters: diameter_mm, margin, spiculation, texture, ...
};

struct PhantomOptions {
  PhantomKind kind = PhantomKind::chest_ct;
  std::size_t patients = 400;          ///< 1 to 1,000,000
  std::size_t images_per_patient = 3;  ///< 1 to 64
  std::size_t side = 0;  ///< pixels of the square image, 64 to 1024; 0: 128 for a region, 256 for a whole
  double region_mm = 40;
  std::uint64_t seed = 1;

  /// \throws Error (invalid_argument) naming the field, its range and its value.
  void validate() const;
};

/// Draws one image. The same options, patient and index give the same pixels on every machine and in any
/// order. \throws Error (invalid_argument) when patient or index is outside the options.
PhantomImage draw_phantom(const PhantomOptions& options, std::size_t patient, std::size_t index);

/// How a folder of phantoms is written.
struct PhantomFolderOptions {
  PhantomOptions phantom;
  bool png = true;               ///< 8-bit display PNG (CT: window -1200..600 HU) below images/
  bool dicom = false;            ///< DICOM below dicom/: CT Image Storage with rescale, or Digital X-Ray
  double train_share = 0.5;      ///< of the patients
  double database_share = 0.35;  ///< of the patients; the rest are queries
  int threads = 0;               ///< 0: all
};

/// Writes the images and `manifest.csv` (path, patient_id, labels, split, synthetic=yes, then the drawn
/// parameters); splits are drawn by patient, so no patient is in two. With both forms, `manifest_dicom.csv`
/// lists the DICOM files. The folder must be empty or not exist. \throws Error already_exists,
/// invalid_argument, io, cancelled; on failure the files written so far are removed.
void write_phantom_folder(const std::filesystem::path& folder, const PhantomFolderOptions& options,
                          const Progress& progress = {});

}  // namespace medretrieval::imaging
