#include "imaging/datasets/lidc_series.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <medretrieval/imaging/image.hpp>
#include <tuple>

#include "base/concat.hpp"
#include "imaging/csv_table.hpp"
#include "imaging/datasets/folder_files.hpp"
#include "imaging/dicom_header.hpp"
#include "imaging/file_bytes.hpp"

namespace medretrieval::imaging::datasets {

using detail::fail;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kLongestUid = 64;

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
std::string uid(const DicomHeader& file, const char* keyword) {
  std::string text = file.tag(keyword);
  if (text.empty() || text.size() > kLongestUid ||
      text.find_first_not_of("0123456789.") != std::string::npos) {
    fail(ErrorCode::corrupt, keyword, " is \"", text.substr(0, kLongestUid), "\", expected a UID");
  }
  return text;
}

/// Value number `index` of a tag with several.
std::optional<double> number(const DicomHeader& file, const char* keyword, std::size_t index) {
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

std::size_t side(const DicomHeader& file, const char* keyword) {
  const double value = number(file, keyword, 0).value_or(0);
  if (!(value >= 1 && value <= static_cast<double>(kMaxImageSide))) {
    fail(ErrorCode::corrupt, keyword, " is ", value, ", expected 1 to ", kMaxImageSide);
  }
  return static_cast<std::size_t>(value);
}

std::optional<Date> date(const DicomHeader& file) {
  try {
    return Date::parse(file.tag("StudyDate"));
  } catch (const Error&) {  // none, or a day that does not exist
    return {};
  }
}

/// A series of the one slice in `file`; none when it is no CT slice.
std::optional<CtSeries> describe(const DicomHeader& file, const std::string& name) {
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
  slice.file = name;
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

/// What a file turned out to be: a slice (as a series of one), nothing, or a kind of what is left out.
struct FoundFile {
  std::optional<CtSeries> slice;
  std::string_view kind;
  std::string what;
};

FoundFile look_at(const fs::path& path, const std::string& name) {
  if (!is_dicom(path)) return {};
  try {
    const DicomHeader file(path);
    std::optional<CtSeries> slice = naming_file(path, [&] { return describe(file, name); });
    if (!slice) return {{}, "not_ct", path.string()};
    return {std::move(slice), {}, {}};
  } catch (const Error& error) {
    return {{}, "unreadable_image", error.what()};
  }
}

}  // namespace

std::vector<fs::path> folders_below(const fs::path& root) {
  std::vector<fs::path> folders = {root};
  for (std::size_t next = 0; next < folders.size(); ++next) {
    const fs::path folder = folders[next];
    for (const std::string& inner : read_folder(folder).folders) folders.push_back(folder / inner);
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

std::vector<CtSeries> read_ct_series(const fs::path& folder, RecordSink& sink) {
  std::map<std::string, CtSeries> by_uid;
  const std::vector<std::string> files = read_folder(folder).files;
  const auto look = [&](std::size_t i) { return look_at(folder / files[i], files[i]); };
  const auto take = [&](std::size_t i, FoundFile found) {
    if (!found.kind.empty()) return sink.skip(found.kind, found.what);
    if (!found.slice) return;
    found.slice->folder = folder;
    const auto [entry, added] = by_uid.try_emplace(found.slice->uid, *found.slice);
    if (added) return;
    if (!same_frame(entry->second, *found.slice)) {
      const std::string path = (folder / files[i]).string();
      return sink.skip("other_frame", path + ": patient, study, size or spacing differ within the series");
    }
    entry->second.slices.push_back(std::move(found.slice->slices.front()));
  };
  read_in_order(files.size(), sink.threads(), look, take);
  std::vector<CtSeries> all;
  for (auto& [uid, series] : by_uid) {
    sort_slices(series);
    all.push_back(std::move(series));
  }
  return all;
}

AnnotationFiles::AnnotationFiles(const std::vector<fs::path>& folders, RecordSink& sink) {
  for (const fs::path& folder : folders) {
    for (const std::string& name : read_folder(folder).files) {
      if (is_xml(name)) add(folder / name, sink);
    }
  }
}

void AnnotationFiles::add(const fs::path& file, RecordSink& sink) {
  try {
    const LidcAnnotations annotations = read_lidc_annotations(file);
    if (annotations.of_radiograph) return sink.skip("reading_of_radiograph", file.string());
    const auto [entry, added] = by_series_.try_emplace(annotations.series_uid, file);
    if (added) return count(annotations);
    sink.skip("second_annotation", file.string() + ": the series has " + entry->second.string());
  } catch (const Error& error) {
    sink.skip("unreadable_annotation", error.what());
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
