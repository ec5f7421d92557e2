// Any tree of DICOM files. Of their headers only what is named here is read; names, birth dates, accession
// numbers, institutions and descriptions are not.
#include <algorithm>
#include <map>
#include <medretrieval/fingerprint.hpp>
#include <medretrieval/imaging/dataset.hpp>
#include <medretrieval/imaging/dicom.hpp>
#include <memory>
#include <mutex>
#include <span>

#include "base/concat.hpp"
#include "base/utf8.hpp"
#include "imaging/datasets/dataset_files.hpp"
#include "imaging/datasets/folder_files.hpp"
#include "imaging/dicom_header.hpp"

namespace medretrieval::imaging::datasets {

using detail::concat;
using detail::fail;
namespace fs = std::filesystem;

namespace {

constexpr int kDeepestFolder = 64;
constexpr std::size_t kLongestCode = 16;  // of the representation CS
constexpr std::size_t kLongestUid = 64;

struct Options {
  std::string label;
  std::string modality;
  std::size_t per_series;
  bool burned_in;
  Window window;
};

Options read_options(const Parameters& given) {
  Options options = {
      std::get<std::string>(given.at("label")),
      std::get<std::string>(given.at("modality")),
      static_cast<std::size_t>(std::get<std::int64_t>(given.at("per_series"))),
      std::get<bool>(given.at("burned_in")),
      {std::get<double>(given.at("window_center")), std::get<double>(given.at("window_width"))}};
  if (options.label != "none" && options.label != "modality" && options.label != "body_part") {
    fail(ErrorCode::invalid_argument, "label must be none, modality or body_part, got '", options.label, "'");
  }
  return options;
}

/// A code of the representation CS, or nothing when it is none: then it could be anybody's text.
std::string code(const DicomHeader& file, const char* keyword) {
  const std::string text = file.tag(keyword);
  const bool is_code = text.size() <= kLongestCode && std::all_of(text.begin(), text.end(), [](char c) {
                         return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ' ' || c == '_';
                       });
  return is_code ? text : std::string();
}

std::string uid(const DicomHeader& file, const char* keyword) {
  const std::string text = file.tag(keyword);
  const bool is_uid =
      text.size() <= kLongestUid && text.find_first_not_of("0123456789.") == std::string::npos;
  return is_uid ? text : std::string();
}

/// \throws Error (corrupt) for what cannot be an id: control characters, or far longer than the standard's 64.
std::string patient_id(const DicomHeader& file) {
  const std::string text = file.tag("PatientID");
  constexpr std::size_t kLongestId = 4 * 64;  // bytes in UTF-8
  const bool has_control = std::any_of(text.begin(), text.end(), [](char c) { return c >= 0 && c < ' '; });
  if (text.size() > kLongestId || has_control || !detail::is_utf8(text)) {
    fail(ErrorCode::corrupt, "a PatientID of ", text.size(), " bytes, expected text of at most ", kLongestId);
  }
  return text;
}

/// The first value, when it is a number.
std::string number(const DicomHeader& file, const char* keyword) {
  const std::string text = file.tag(keyword);
  const auto value = parse_number(text.substr(0, text.find('\\')));
  return value ? number_text(*value) : std::string();
}

std::optional<Date> date(const DicomHeader& file) {
  for (const char* keyword : {"StudyDate", "SeriesDate", "AcquisitionDate"}) {
    const std::string text = file.tag(keyword);
    if (text.empty()) continue;
    try {
      return Date::parse(text);
    } catch (const Error&) {  // a day that does not exist: the next may
    }
  }
  return std::nullopt;
}

/// A file of many frames, opened once for all that are made at a time.
class SharedFile {
 public:
  explicit SharedFile(fs::path path) : path_(std::move(path)) {}
  Image display_image(std::size_t frame, const std::optional<Window>& window) {
    std::call_once(once_, [&] { file_.emplace(path_); });
    return file_->display_image(frame, window);
  }

 private:
  fs::path path_;
  std::once_flag once_;
  std::optional<DicomFile> file_;
};

/// One file with pixels, as the record of its frames.
struct Source {
  DatasetRecord record;
  std::shared_ptr<SharedFile> file;  ///< of several frames
  std::size_t frames = 0;
  double instance = 0;
};

Source describe(const DicomHeader& file, const fs::path& path, const fs::path& root, const Options& options) {
  Source source;
  DatasetRecord& record = source.record;
  source.frames = file.frame_count();
  if (source.frames > 1) source.file = std::make_shared<SharedFile>(path);
  record.key = uid(file, "SOPInstanceUID");
  if (record.key.empty()) {
    const std::string name = path.lexically_relative(root).generic_string();
    record.key = Fingerprint::of(std::as_bytes(std::span(name))).to_string();
  }
  record.patient = patient_id(file);
  record.study = uid(file, "StudyInstanceUID");
  record.series = uid(file, "SeriesInstanceUID");
  record.modality = code(file, "Modality");
  record.date = date(file);
  record.source.file = path;
  if (options.window.width > 0 && record.modality == "CT") record.source.options.window = options.window;
  record.attributes["body_part"] = code(file, "BodyPartExamined");
  record.attributes["laterality"] = code(file, "Laterality");
  record.attributes["view"] = code(file, "ViewPosition");
  record.attributes["instance"] = number(file, "InstanceNumber");
  record.attributes["pixel_spacing_mm"] = number(file, "PixelSpacing");
  record.attributes["slice_thickness_mm"] = number(file, "SliceThickness");
  const std::string label = options.label == "modality" ? record.modality : record.attributes["body_part"];
  if (options.label != "none" && !label.empty()) record.labels = {label};
  source.instance = parse_number(record.attributes["instance"]).value_or(0);
  return source;
}

std::string_view kind_of(ErrorCode code) {
  if (code == ErrorCode::unsupported) return "unsupported_image";
  return code == ErrorCode::limit_exceeded ? "too_large_image" : "unreadable_image";
}

/// What a file turned out to be: a source, or a kind of what is left out and what is said about it.
struct FoundFile {
  std::optional<Source> source;
  std::string_view kind;
  std::string what;
};

class Walk {
 public:
  Walk(const fs::path& root, const Options& options, RecordSink& sink)
      : root_(root), options_(options), sink_(sink) {}

  /// A folder's files, then its folders, both by name. Links to folders are not followed.
  void visit(const fs::path& folder, int depth) {
    if (depth > kDeepestFolder) return sink_.skip("too_deep_folder", folder.string());
    FolderContent content = read_folder(folder);
    if (!content.is_readable) sink_.skip("unreadable_folder", folder.string());
    read_in_order(
        content.files.size(), sink_.threads(),
        [&](std::size_t i) { return look_at(folder / content.files[i]); },
        [&](std::size_t, FoundFile found) { take(std::move(found)); });
    give_series();
    content.files = {};  // not held while the folders below are visited
    for (const std::string& inner : content.folders) visit(folder / inner, depth + 1);
  }

 private:
  FoundFile look_at(const fs::path& path) const {
    try {
      if (detect_file_kind(path) != FileKind::dicom) return {{}, "not_dicom", path.string()};
    } catch (const Error&) {
      return {{}, "not_dicom", path.string()};
    }
    try {
      const DicomHeader file(path);
      if (const char* reason = reason_to_skip(file)) return {{}, reason, path.string()};
      // Every stated frame becomes a record, so that they are there has to be known now.
      if (file.frame_count() > 1) DicomFile{path};
      return {describe(file, path, root_, options_), {}, {}};
    } catch (const Error& error) {
      return {{}, kind_of(error.code()), error.what()};
    }
  }

  void take(FoundFile found) {
    if (!found.source) return sink_.skip(found.kind, found.what);
    if (options_.per_series == 0) return give_frames(*found.source);
    const std::string series = found.source->record.series;
    series_[series].push_back(std::move(*found.source));
  }

  const char* reason_to_skip(const DicomHeader& file) const {
    if (!file.has_pixels()) return "no_pixels";
    const std::string modality = code(file, "Modality");
    if (modality == "SEG") return "segmentation";
    if (!options_.modality.empty() && modality != options_.modality) return "other_modality";
    if (!options_.burned_in && code(file, "BurnedInAnnotation") == "YES") return "burned_in_annotation";
    return nullptr;
  }

  void give_frames(const Source& source) {
    for (std::size_t frame = 0; frame < source.frames; ++frame) give_frame(source, frame);
  }

  void give_frame(const Source& source, std::size_t frame) {
    DatasetRecord record = source.record;
    record.source.options.frame = frame;
    if (source.frames > 1) {
      record.key += concat("-frame", frame);
      record.attributes["frame"] = std::to_string(frame);
      record.load = [file = source.file, options = record.source.options] {
        return file->display_image(options.frame, options.window);
      };
    }
    sink_.add(std::move(record));
  }

  /// So many frames of every series of the folder, evenly spread.
  void give_series() {
    for (auto& [uid, sources] : series_) {
      std::stable_sort(sources.begin(), sources.end(),
                       [](const Source& a, const Source& b) { return a.instance < b.instance; });
      std::vector<std::pair<const Source*, std::size_t>> frames;
      for (const Source& source : sources) {
        for (std::size_t frame = 0; frame < source.frames; ++frame) frames.emplace_back(&source, frame);
      }
      const std::size_t wanted = std::min(options_.per_series, frames.size());
      for (std::size_t i = 0; i < wanted; ++i) {
        const auto& [source, frame] = frames[(2 * i + 1) * frames.size() / (2 * wanted)];
        give_frame(*source, frame);
      }
    }
    series_.clear();
  }

  const fs::path& root_;
  const Options& options_;
  RecordSink& sink_;
  std::map<std::string, std::vector<Source>> series_;  // of the folder that is visited
};

std::size_t count_files(const fs::path& root) {
  std::size_t count = 0;
  std::error_code error;
  auto entry = fs::recursive_directory_iterator(root, fs::directory_options::skip_permission_denied, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_regular_file(ignored)) ++count;
  }
  return count;
}

void read(const fs::path& root, const Parameters& given, RecordSink& sink) {
  const Options options = read_options(given);
  sink.expect(count_files(root));
  Walk(root, options, sink).visit(root, 0);
}

}  // namespace

DatasetType dicom_dataset() {
  DatasetType type;
  type.name = "dicom";
  type.description = "any folder of DICOM files, with the folders below it; other files are left out";
  type.options = {
      {"label", std::string("modality"), 0, 0, "what becomes the label: none, modality or body_part"},
      {"modality", std::string(), 0, 0, "take only this modality, for example CT"},
      {"per_series", std::int64_t{0}, 0, 100'000,
       "images of each series (of each folder), evenly spread by instance number; 0: all"},
      {"burned_in", false, 0, 0, "take images that state burned-in annotations too"},
      {"window_center", 0.0, -32768, 32767, "HU, of CT; with window_width 0 the stated window is taken"},
      {"window_width", 0.0, 0, 65536, "HU"}};
  type.attributes = {"body_part",        "laterality",        "view", "instance", "frame",
                     "pixel_spacing_mm", "slice_thickness_mm"};
  type.has_identities = true;
  type.bits = 16;
  type.read = read;
  return type;
}

}  // namespace medretrieval::imaging::datasets
