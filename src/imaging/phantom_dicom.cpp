#include "imaging/phantom_dicom.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <map>
#include <medretrieval/imaging/dicom.hpp>
#include <string>
#include <vector>

#include "base/concat.hpp"
#include "base/random.hpp"
#include "imaging/phantom_draw.hpp"

namespace medretrieval::imaging::phantom {

namespace {

using Tags = std::map<std::string, std::string>;

constexpr int kRescaleIntercept = -1024;
constexpr int kWhite = 4095;  // of a 12-bit detector

std::string dicom_date(const std::string& iso_date) {
  std::string digits = iso_date;
  std::erase(digits, '-');
  return digits;
}

/// What both kinds state. Empty values are elements that must be there and may say nothing (type 2).
Tags common_tags(const PhantomImage& drawn, const PhantomOptions& options) {
  return {
      {"Modality", modality_of(options.kind)},
      {"Manufacturer", "medretrieval phantom generator"},
      {"PatientID", drawn.patient},
      {"PatientName", "SYNTHETIC^PHANTOM"},
      {"PatientBirthDate", ""},
      {"StudyID", drawn.study.substr(drawn.study.size() - 3)},
      {"StudyDate", dicom_date(drawn.date)},
      {"StudyTime", "120000"},
      {"StudyDescription", "SYNTHETIC PHANTOM, not a patient"},
      {"SeriesDescription", "SYNTHETIC PHANTOM"},
      {"ImageComments", "SYNTHETIC PHANTOM drawn by medretrieval, not a patient"},
      {"SeriesNumber", "1"},
      {"InstanceNumber", std::to_string(drawn.index + 1)},
      {"AccessionNumber", ""},
      {"ReferringPhysicianName", ""},
      {"BodyPartExamined", "CHEST"},
      {"BurnedInAnnotation", "NO"},
  };
}

/// Two equal numbers, as for a square pixel.
std::string pair_of(double value) {
  return detail::concat(value, "\\", value);
}

void add_ct_tags(const PhantomImage& drawn, Tags& tags) {
  const double spacing = drawn.attributes.at("pixel_spacing_mm");
  const double corner = -0.5 * spacing * (static_cast<double>(drawn.image.width()) - 1);
  // Heights grow towards the feet, DICOM's z towards the head.
  const double z = -drawn.attributes.at("slice_offset_mm");
  tags.insert({
      {"SOPClassUID", "1.2.840.10008.5.1.4.1.1.2"},
      {"ImageType", "DERIVED\\SECONDARY\\AXIAL"},
      {"PatientSex", "O"},
      {"PatientPosition", "HFS"},
      {"PositionReferenceIndicator", ""},
      {"KVP", ""},
      {"AcquisitionNumber", "1"},
      {"SliceThickness", "1"},
      {"SliceLocation", detail::concat(z)},
      {"ImagePositionPatient", detail::concat(corner, "\\", corner, "\\", z)},
      {"ImageOrientationPatient", "1\\0\\0\\0\\1\\0"},
      {"PixelSpacing", pair_of(spacing)},
      {"RescaleIntercept", std::to_string(kRescaleIntercept)},
      {"RescaleSlope", "1"},
      {"RescaleType", "HU"},
      {"WindowCenter", "-300"},
      {"WindowWidth", "1800"},
  });
}

void add_xray_tags(const PhantomImage& drawn, Tags& tags) {
  const auto age = static_cast<int>(drawn.attributes.at("age"));
  const std::string digits = std::to_string(age);
  tags.insert({
      {"SOPClassUID", "1.2.840.10008.5.1.4.1.1.1"},
      {"ImageType", "DERIVED\\SECONDARY"},
      {"PatientSex", drawn.attributes.at("female") == 1 ? "F" : "M"},
      {"PatientAge", std::string(3 - digits.size(), '0') + digits + "Y"},
      {"PatientOrientation", "L\\F"},
      {"ViewPosition", drawn.attributes.at("view_ap") == 1 ? "AP" : "PA"},
      {"ImagerPixelSpacing", pair_of(drawn.attributes.at("pixel_spacing_mm"))},
      {"WindowCenter", std::to_string((kWhite + 1) / 2)},
      {"WindowWidth", std::to_string(kWhite + 1)},
  });
}

std::int16_t stored(float value, PhantomKind kind) {
  const float sample = kind == PhantomKind::chest_ct ? value - kRescaleIntercept : value * kWhite;
  return static_cast<std::int16_t>(std::nearbyint(sample));
}

}  // namespace

PhantomUids uids_of(const PhantomOptions& options, std::size_t patient, std::size_t index) {
  std::uint64_t root = options.seed;
  for (const std::uint64_t word :
       {static_cast<std::uint64_t>(options.kind), static_cast<std::uint64_t>(drawn_side(options)),
        std::bit_cast<std::uint64_t>(options.region_mm)}) {
    root = detail::Random(root ^ word).next();
  }
  const std::size_t study_number = options.kind == PhantomKind::chest_ct ? 1 : index + 1;
  const std::string study = detail::concat("2.25.", root, ".", patient + 1, ".", study_number);
  return {study, study + ".1", detail::concat(study, ".1.", index + 1), study + ".2"};
}

const char* modality_of(PhantomKind kind) {
  return kind == PhantomKind::chest_ct ? "CT" : "CR";
}

void write_phantom_dicom(const PhantomImage& drawn, const PhantomOptions& options, std::size_t patient,
                         const std::filesystem::path& file) {
  DicomTags tags{common_tags(drawn, options)};
  const PhantomUids uids = uids_of(options, patient, drawn.index);
  tags.values["StudyInstanceUID"] = uids.study;
  tags.values["SeriesInstanceUID"] = uids.series;
  tags.values["SOPInstanceUID"] = uids.image;
  tags.values["FrameOfReferenceUID"] = uids.frame_of_reference;
  if (options.kind == PhantomKind::chest_ct) {
    add_ct_tags(drawn, tags.values);
  } else {
    add_xray_tags(drawn, tags.values);
  }
  const Image& image = drawn.image;
  std::vector<std::int16_t> samples(image.pixels().size());
  std::transform(image.pixels().begin(), image.pixels().end(), samples.begin(),
                 [&](float value) { return stored(value, options.kind); });
  write_dicom(file, samples, image.width(), image.height(), tags);
}

}  // namespace medretrieval::imaging::phantom
