#include "imaging/datasets/lidc_slice.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <medretrieval/imaging/image.hpp>

#include "base/concat.hpp"
#include "imaging/datasets/dicom_fields.hpp"
#include "imaging/dicom_header.hpp"
#include "imaging/file_bytes.hpp"

namespace medretrieval::imaging::datasets {

using detail::fail;
namespace fs = std::filesystem;

namespace {

constexpr double kNearlyAxial = 0.9;     // cosine of the tilt: 26 degrees, of a gantry
constexpr double kSameDirection = 1e-3;  // of direction cosines
constexpr double kSameSpacing = 1e-4;    // relative
constexpr double kSquarePixels = 0.01;   // relative
constexpr double kLargestPixel = 100;    // mm

bool all_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool close(double a, double b, double relative) {
  return std::fabs(a - b) <= relative * std::max(std::fabs(a), std::fabs(b));
}

/// The direction across the slices, upwards.
std::array<double, 3> normal_of(const std::vector<double>& o) {
  std::array<double, 3> normal = {o[1] * o[5] - o[2] * o[4], o[2] * o[3] - o[0] * o[5],
                                  o[0] * o[4] - o[1] * o[3]};
  if (normal[2] < 0) {
    for (double& value : normal) value = -value;
  }
  return normal;
}

/// A UID that must be there: it becomes part of the names of files.
std::string need_uid(DicomFields& fields, const char* keyword) {
  std::string text = fields.uid(keyword);
  if (text.empty()) fail(ErrorCode::corrupt, "expected a UID as ", keyword);
  return text;
}

std::size_t side(DicomFields& fields, const char* keyword) {
  const std::vector<double> value = fields.numbers(keyword, 1);
  if (value.empty() || !(value[0] >= 1 && value[0] <= static_cast<double>(kMaxImageSide))) {
    fail(ErrorCode::corrupt, keyword, " is not one number from 1 to ", kMaxImageSide);
  }
  return static_cast<std::size_t>(value[0]);
}

double pixel_spacing(DicomFields& fields) {
  const std::vector<double> spacing = fields.numbers("PixelSpacing", 2);
  const auto is_possible = [](double value) { return value > 0 && value <= kLargestPixel; };
  if (spacing.empty() || !is_possible(spacing[0]) || !is_possible(spacing[1])) {
    fail(ErrorCode::corrupt, "PixelSpacing is not two numbers above 0 and at most ", kLargestPixel, " mm");
  }
  if (!close(spacing[0], spacing[1], kSquarePixels)) {
    fail(ErrorCode::unsupported, "pixels of ", spacing[0], " mm by ", spacing[1],
         " mm, expected square ones");
  }
  return spacing[0];
}

/// Six direction cosines; those of an axial slice where the file states none.
std::vector<double> orientation(const DicomHeader& file, DicomFields& fields) {
  if (file.tag("ImageOrientationPatient").empty()) return {1, 0, 0, 0, 1, 0};
  std::vector<double> cosines = fields.numbers("ImageOrientationPatient", 6);
  const bool are_cosines = !cosines.empty() && std::all_of(cosines.begin(), cosines.end(), [](double value) {
    return std::fabs(value) <= 1 + kSameDirection;
  });
  if (!are_cosines) fail(ErrorCode::corrupt, "ImageOrientationPatient is not six numbers from -1 to 1");
  return cosines;
}

SeriesSlice describe_slice(DicomFields& fields, const std::vector<double>& orientation) {
  SeriesSlice slice;
  slice.sop_uid = need_uid(fields, "SOPInstanceUID");
  const std::vector<double> position = fields.numbers("ImagePositionPatient", 3);
  if (position.empty()) return slice;
  const std::array<double, 3> normal = normal_of(orientation);
  slice.z = position[2];
  slice.along = normal[0] * position[0] + normal[1] * position[1] + normal[2] * position[2];
  return slice;
}

LookedAt describe(const DicomHeader& file, const fs::path& path) {
  DicomFields fields(file);
  if (!file.has_pixels() || fields.modality() != "CT") return {{}, "not_ct", path.string(), {}};
  const std::optional<std::string> patient = fields.patient_id();
  if (!patient || !is_lidc_patient(*patient)) return {{}, "other_patient_id", path.string(), {}};
  FoundSlice found;
  found.series = need_uid(fields, "SeriesInstanceUID");
  found.frame = {*patient,
                 fields.uid("StudyInstanceUID"),
                 pixel_spacing(fields),
                 side(fields, "Columns"),
                 side(fields, "Rows"),
                 orientation(file, fields)};
  if (!(normal_of(found.frame.orientation)[2] >= kNearlyAxial)) {
    return {{}, "other_orientation", path.string(), {}};
  }
  found.date = fields.date();
  found.slice = describe_slice(fields, found.frame.orientation);
  found.slice.file = path.filename().string();
  return {std::move(found), {}, path.string(), fields.refused()};
}

}  // namespace

bool is_lidc_patient(std::string_view id) noexcept {
  constexpr std::string_view kPublished = "LIDC-IDRI-";
  constexpr std::string_view kPhantom = "SYNTHETIC-LIDC-";
  if (id.starts_with(kPublished))
    return id.size() == kPublished.size() + 4 && all_digits(id.substr(kPublished.size()));
  return id.starts_with(kPhantom) && id.size() <= kPhantom.size() + 9 &&
         all_digits(id.substr(kPhantom.size()));
}

bool same_orientation(const SliceFrame& a, const SliceFrame& b) {
  return std::equal(a.orientation.begin(), a.orientation.end(), b.orientation.begin(), b.orientation.end(),
                    [](double x, double y) { return std::fabs(x - y) <= kSameDirection; });
}

bool same_frame(const SliceFrame& a, const SliceFrame& b) {
  return a.patient == b.patient && a.study == b.study && a.columns == b.columns && a.rows == b.rows &&
         close(a.pixel_spacing_mm, b.pixel_spacing_mm, kSameSpacing) && same_orientation(a, b);
}

LookedAt look_at_slice(const fs::path& path) {
  try {
    if (!is_dicom(path)) return {};
    const DicomHeader file(path);
    return naming_file(path, [&] { return describe(file, path); });
  } catch (const Error& error) {
    return {{}, kind_of_failure(error.code()), error.what(), {}};
  }
}

}  // namespace medretrieval::imaging::datasets
