#include "imaging/datasets/lidc_series.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <medretrieval/imaging/dicom.hpp>
#include <tuple>

#include "base/concat.hpp"
#include "imaging/csv_table.hpp"
#include "imaging/file_bytes.hpp"

namespace medretrieval::imaging::datasets {

using detail::fail;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kLongestUid = 64;

std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.is_regular_file(error)) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

bool is_xml(const fs::path& file) {
  const std::string extension = file.extension().string();
  return extension == ".xml" || extension == ".XML";
}

bool is_dicom(const fs::path& file) {
  try {
    return detect_file_kind(file) == FileKind::dicom;
  } catch (const Error&) {  // of another kind
    return false;
  }
}

/// A UID that must be there: it becomes part of the names of files.
std::string uid(const DicomFile& file, const char* keyword) {
  std::string text = file.tag(keyword);
  if (text.empty() || text.size() > kLongestUid ||
      text.find_first_not_of("0123456789.") != std::string::npos) {
    fail(ErrorCode::corrupt, keyword, " is \"", text.substr(0, kLongestUid), "\", expected a UID");
  }
  return text;
}

/// Value number `index` of a tag with several.
std::optional<double> number(const DicomFile& file, const char* keyword, std::size_t index) {
  std::string text = file.tag(keyword);
  for (; index > 0; --index) {
    const std::size_t separator = text.find('\\');
    if (separator == std::string::npos) return {};
    text.erase(0, separator + 1);
  }
  text.erase(std::min(text.find('\\'), text.size()));
  text.erase(0, text.find_first_not_of(' '));
  text.erase(text.find_last_not_of(' ') + 1);
  return parse_number(text);
}

std::size_t side(const DicomFile& file, const char* keyword) {
  const double value = number(file, keyword, 0).value_or(0);
  if (!(value >= 1 && value <= static_cast<double>(kMaxImageSide))) {
    fail(ErrorCode::corrupt, keyword, " is ", value, ", expected 1 to ", kMaxImageSide);
  }
  return static_cast<std::size_t>(value);
}

std::optional<Date> date(const DicomFile& file) {
  try {
    return Date::parse(file.tag("StudyDate"));
  } catch (const Error&) {  // none, or a day that does not exist
    return {};
  }
}

/// A series of the one slice in `file`; none when it is no CT slice.
std::optional<CtSeries> describe(const DicomFile& file, const fs::path& path) {
  if (!file.has_pixels() || file.tag("Modality") != "CT") return {};
  CtSeries series;
  series.uid = uid(file, "SeriesInstanceUID");
  series.patient = file.tag("PatientID");
  series.study = file.tag("StudyInstanceUID");
  series.date = date(file);
  series.columns = side(file, "Columns");
  series.rows = side(file, "Rows");
  series.pixel_spacing_mm = number(file, "PixelSpacing", 0).value_or(0);
  if (!(series.pixel_spacing_mm > 0 && series.pixel_spacing_mm <= 100)) {
    fail(ErrorCode::corrupt, "PixelSpacing is \"", file.tag("PixelSpacing"),
         "\", expected two numbers above 0 and at most 100 mm");
  }
  if (series.patient.empty()) fail(ErrorCode::corrupt, "no PatientID");
  SeriesSlice slice;
  slice.sop_uid = uid(file, "SOPInstanceUID");
  slice.z = number(file, "ImagePositionPatient", 2);
  slice.file = path;
  series.slices.push_back(std::move(slice));
  return series;
}

bool same_frame(const CtSeries& a, const CtSeries& b) {
  return a.patient == b.patient && a.study == b.study && a.columns == b.columns && a.rows == b.rows &&
         std::fabs(a.pixel_spacing_mm - b.pixel_spacing_mm) < 1e-6;
}

void sort_slices(CtSeries& series) {
  const auto key = [](const SeriesSlice& slice) {
    return std::tuple(slice.z.value_or(-std::numeric_limits<double>::infinity()), slice.sop_uid);
  };
  std::sort(series.slices.begin(), series.slices.end(),
            [&](const SeriesSlice& a, const SeriesSlice& b) { return key(a) < key(b); });
}

}  // namespace

std::vector<fs::path> folders_below(const fs::path& root) {
  std::vector<fs::path> folders = {root};
  for (std::size_t next = 0; next < folders.size(); ++next) {
    const fs::path folder = folders[next];
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
      if (entry.is_directory(error) && !entry.is_symlink(error)) folders.push_back(entry.path());
    }
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

std::vector<CtSeries> read_ct_series(const fs::path& folder, RecordSink& sink) {
  std::map<std::string, CtSeries> by_uid;
  for (const fs::path& path : files_in(folder)) {
    if (!is_dicom(path)) continue;
    try {
      const DicomFile file(path);
      std::optional<CtSeries> slice = naming_file(path, [&] { return describe(file, path); });
      if (!slice) {
        sink.skip("not_ct", path.string());
        continue;
      }
      const auto [entry, added] = by_uid.try_emplace(slice->uid, *slice);
      if (added) continue;
      if (same_frame(entry->second, *slice)) {
        entry->second.slices.push_back(std::move(slice->slices.front()));
      } else {
        sink.skip("other_frame",
                  path.string() + ": patient, study, size or spacing differ within the series");
      }
    } catch (const Error& error) {
      sink.skip("unreadable_image", error.what());
    }
  }
  std::vector<CtSeries> all;
  for (auto& [uid, series] : by_uid) {
    sort_slices(series);
    all.push_back(std::move(series));
  }
  return all;
}

AnnotationFiles::AnnotationFiles(const std::vector<fs::path>& folders, RecordSink& sink) {
  for (const fs::path& folder : folders) {
    for (const fs::path& file : files_in(folder)) {
      if (!is_xml(file)) continue;
      try {
        const LidcAnnotations annotations = read_lidc_annotations(file);
        if (annotations.of_radiograph) {
          sink.skip("reading_of_radiograph", file.string());
        } else if (by_series_.try_emplace(annotations.series_uid, file).second) {
          count(annotations);
        } else {
          const std::string first = by_series_.at(annotations.series_uid).string();
          sink.skip("second_annotation", file.string() + ": the series has " + first);
        }
      } catch (const Error& error) {
        sink.skip("unreadable_annotation", error.what());
      }
    }
  }
}

void AnnotationFiles::count(const LidcAnnotations& annotations) {
  for (const LidcReading& reading : annotations.readings) {
    for (const LidcNodule& nodule : reading.nodules) {
      if (!nodule.is_contoured()) continue;
      ++marks_;
      outlines_ += nodule.contours.size();
    }
  }
}

std::optional<fs::path> AnnotationFiles::of_series(const std::string& uid) const {
  const auto found = by_series_.find(uid);
  return found == by_series_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace medretrieval::imaging::datasets
