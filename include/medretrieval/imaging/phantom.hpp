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
  /// Axial CT around a lung nodule. One label: "benign" (malignancy 1 or 2) or "malignant" (4 or 5); the
  /// undecided 3 is not drawn. A patient has one nodule; the patient's images are slices through it.
  /// Attributes: malignancy; what follows it, noisily, so that the classes overlap: diameter_mm (4 to 26),
  /// margin, lobulation, spiculation, texture (1 to 5, in the sense of LIDC-IDRI), calcification (share of
  /// the diameter); nodule_x, nodule_y (its middle in pixels), slice_offset_mm, noise_hu, pixel_spacing_mm.
  chest_ct,
  /// Frontal radiographs. Labels: any of Atelectasis, Cardiomegaly, Consolidation, Effusion, Mass, Nodule,
  /// Pneumothorax, or "No Finding" (about half). Findings last over a patient's images, change a little and
  /// may heal. Attributes: severity_<finding> (0 absent, 0.2 hardly visible, to 1), cardiothoracic_ratio,
  /// age, female, view_ap (1 for AP, 0 for PA), pixel_spacing_mm.
  chest_xray,
};

/// One synthetic patient's image and the truth it was drawn from.
struct PhantomImage {
  Image image;  ///< chest_ct: whole Hounsfield units, -1024 to 3071; chest_xray: display units
  /// Where the lesion was drawn, before blur and noise: 1 in pixels of which it covers at least half, else 0; display
  /// units, as large as `image`. chest_ct: the nodule as this slice cuts it, spicules included, at least one pixel.
  /// chest_xray: all findings that have a place together, whole outlines of nodules and masses, and the parts of the
  /// lungs that consolidation, effusion, atelectasis' plates or a pneumothorax's free air take; Cardiomegaly has no
  /// place, so that the mask may be all 0 then, as it is for No Finding.
  Image mask;
  std::string patient;              ///< says that it is synthetic, as does `study`
  std::string study;                ///< chest_ct: one for all images of the patient; chest_xray: one an image
  std::string date;                 ///< of the study, YYYY-MM-DD
  std::size_t index = 0;            ///< which of the patient's images, from 0
  std::vector<std::string> labels;  ///< at least one
  std::map<std::string, double> attributes;  ///< the same names for every image of a kind
};

struct PhantomOptions {
  PhantomKind kind = PhantomKind::chest_ct;
  std::size_t patients = 400;          ///< 1 to 1,000,000
  std::size_t images_per_patient = 3;  ///< 1 to 64
  /// Pixels along a side of the square image, 64 to 1024. 0: 128 for a region, 256 for a whole chest. The
  /// anatomy does not depend on it.
  std::size_t side = 0;
  /// chest_ct: side of the square region around the nodule in mm, 24 to 200; 0: the whole slice, in which a
  /// nodule is too small for features of the whole image. chest_xray is always whole.
  double region_mm = 40;
  /// chest_ct with a region: the nodule lies up to this far off the middle along each axis, drawn anew for each image;
  /// 0 to 0.4 times region_mm, so that its middle stays inside. 0: within 1 mm. Otherwise 0.
  double offset_mm = 0;
  std::uint64_t seed = 1;

  /// \throws Error (invalid_argument) naming the field, its range and its value.
  void validate() const;
};

/// Draws one image. The same options, patient and index give the same pixels on every machine and in any
/// order; how many patients and images there are does not matter. Safe to call from many threads at once.
/// \throws Error (invalid_argument) when an option is out of range, or patient or index is outside the
///        options.
PhantomImage draw_phantom(const PhantomOptions& options, std::size_t patient, std::size_t index);

/// How a folder of phantoms is written.
struct PhantomFolderOptions {
  PhantomOptions phantom;
  bool png = true;           ///< 8-bit display PNG (CT: window -1200..600 HU) below images/
  bool dicom = false;        ///< DICOM below dicom/: CT Image Storage with rescale, or Computed Radiography
  double train_share = 0.5;  ///< of the patients, 0 to 1
  double database_share = 0.35;  ///< of the patients, 0 to 1; the rest are queries
  int threads = 0;               ///< 0: all

  /// \throws Error (invalid_argument) naming the field, its range and its value: also when neither form is
  ///        asked for, or the shares come to more than 1.
  void validate() const;
};

/// Writes the images and `manifest.csv`: path, patient_id, labels, split, synthetic (always "yes"), modality
/// (CT or CR), study, date, mask, then the attributes. Splits are drawn by patient, so no patient is in two. The
/// manifest lists the form that is written; with both it lists the PNG, and `manifest_dicom.csv` the DICOM
/// files. Masks are 8-bit PNG, 0 and 255, below masks/ in every form; where a mask is all 0 there is no file, and the
/// column says kNoLesion (mask.hpp). The folder must be empty or not exist.
/// \throws Error already_exists, invalid_argument, io, cancelled; on failure the files written so far are
///        removed, and the folder too if it was made here.
void write_phantom_folder(const std::filesystem::path& folder, const PhantomFolderOptions& options,
                          const Progress& progress = {});

}  // namespace medretrieval::imaging
