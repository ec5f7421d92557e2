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
#include "imaging/datasets/dataset_files.hpp"
#include "imaging/datasets/dicom_fields.hpp"
#include "imaging/datasets/folder_files.hpp"
#include "imaging/dicom_header.hpp"

namespace medretrieval::imaging::datasets {

using detail::concat;
using detail::fail;
namespace fs = std::filesystem;

namespace {

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
  std::int64_t instance = 0;
};

/// What a file turned out to be: a source, or a kind of what is left out and what is said about it.
struct FoundFile {
  std::optional<Source> source;
  std::string_view kind;
  std::string what;
  std::vector<std::string_view> refused = {};  ///< kinds of values that became blank
};

std::string text_of(const std::optional<double>& number) {
  return number ? number_text(*number) : std::string();
}

std::string key_of(DicomFields& fields, const fs::path& path, const fs::path& root) {
  std::string key = fields.uid("SOPInstanceUID");
  if (!key.empty()) return key;
  const std::string name = path.lexically_relative(root).generic_string();
  return Fingerprint::of(std::as_bytes(std::span(name))).to_string();
}

void describe(DicomFields& fields, const Options& options, Source& source) {
  DatasetRecord& record = source.record;
  record.study = fields.uid("StudyInstanceUID");
  record.series = fields.uid("SeriesInstanceUID");
  record.date = fields.date();
  if (options.window.width > 0 && record.modality == "CT") record.source.options.window = options.window;
  const std::optional<std::int64_t> instance = fields.integer("InstanceNumber");
  source.instance = instance.value_or(0);
  record.attributes["body_part"] = fields.body_part();
  record.attributes["laterality"] = fields.laterality();
  record.attributes["view"] = fields.view();
  record.attributes["instance"] = instance ? std::to_string(*instance) : std::string();
  record.attributes["pixel_spacing_mm"] = text_of(fields.millimetres("PixelSpacing"));
  record.attributes["slice_thickness_mm"] = text_of(fields.millimetres("SliceThickness"));
  const std::string label = options.label == "modality" ? record.modality : record.attributes["body_part"];
  if (options.label != "none" && !label.empty()) record.labels = {label};
}

FoundFile read_source(const fs::path& path, const fs::path& root, const Options& options) {
  const DicomHeader header(path);
  const auto left_out = [&](std::string_view kind) { return FoundFile{{}, kind, path.string()}; };
  if (!header.has_pixels()) return left_out("no_pixels");
  DicomFields fields(header);
  Source source;
  DatasetRecord& record = source.record;
  record.modality = fields.modality();
  if (record.modality == "SEG") return left_out("segmentation");
  if (!options.modality.empty() && record.modality != options.modality) return left_out("other_modality");
  if (!options.burned_in && fields.may_have_burned_in_text()) return left_out("burned_in_annotation");
  std::optional<std::string> patient = fields.patient_id();
  if (!patient) return left_out("unusable_patient_id");
  record.patient = *std::move(patient);
  source.frames = header.frame_count();
  if (source.frames > 1) {
    DicomFile{path};  // every stated frame becomes a record, so that they are there has to be known now
    source.file = std::make_shared<SharedFile>(path);
  }
  record.key = key_of(fields, path, root);
  record.source.file = path;
  describe(fields, options, source);
  return {std::move(source), {}, path.string(), fields.refused()};
}

/// A file whose images may be chosen: some 300 bytes.
struct SeriesFile {
  fs::path path;
  std::size_t frames = 0;
  std::int64_t instance = 0;
};

class Reader {
 public:
  Reader(const fs::path& root, const Options& options, RecordSink& sink)
      : root_(root), options_(options), sink_(sink) {}

  void read_all() {
    walk_folders(root_, sink_, [&](const fs::path& folder, const std::vector<std::string>& files) {
      read_in_order(
          files.size(), sink_.threads(), [&](std::size_t i) { return look_at(folder / files[i]); },
          [&](std::size_t, FoundFile found) { take(std::move(found)); });
    });
    for (auto& [uid, files] : series_) give_series(files);
  }

 private:
  FoundFile look_at(const fs::path& path) const {
    try {
      if (!is_dicom(path)) return {{}, "not_dicom", path.string()};
      return read_source(path, root_, options_);
    } catch (const Error& error) {
      return {{}, kind_of_failure(error.code()), error.what()};
    }
  }

  void take(FoundFile found) {
    if (!found.source) return sink_.skip(found.kind, found.what);
    const Source& source = *found.source;
    // A file that names no series is one.
    if (options_.per_series == 0 || source.record.series.empty()) return give_all(found);
    series_[source.record.series].push_back({source.record.source.file, source.frames, source.instance});
  }

  void count_refused(const FoundFile& found) {
    for (const std::string_view kind : found.refused) sink_.note(kind, found.what);
  }

  void give_all(const FoundFile& found) {
    count_refused(found);
    const std::size_t frames = found.source->frames;
    const std::size_t wanted = options_.per_series == 0 ? frames : std::min(options_.per_series, frames);
    for (std::size_t i = 0; i < wanted; ++i) give_frame(*found.source, place_of(i, wanted, frames));
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

  /// Where number `i` of `wanted` stands that are evenly spread over `all`.
  static std::size_t place_of(std::size_t i, std::size_t wanted, std::size_t all) {
    return (2 * i + 1) * all / (2 * wanted);
  }

  /// So many frames, evenly spread. The header of a file that has one of them is read again.
  void give_series(std::vector<SeriesFile>& files) {
    std::stable_sort(files.begin(), files.end(),
                     [](const SeriesFile& a, const SeriesFile& b) { return a.instance < b.instance; });
    std::size_t all = 0;
    for (const SeriesFile& file : files) all += file.frames;
    const std::size_t wanted = std::min(options_.per_series, all);
    std::size_t given = 0;
    std::size_t first = 0;  // frame of the file among all
    for (const SeriesFile& file : files) {
      std::vector<std::size_t> frames;
      for (; given < wanted && place_of(given, wanted, all) < first + file.frames; ++given) {
        frames.push_back(place_of(given, wanted, all) - first);
      }
      if (!frames.empty()) give_chosen(file, frames);
      first += file.frames;
    }
  }

  void give_chosen(const SeriesFile& file, const std::vector<std::size_t>& frames) {
    const FoundFile found = look_at(file.path);
    if (!found.source) return sink_.skip(found.kind, found.what);
    count_refused(found);
    for (const std::size_t frame : frames) {
      if (frame < found.source->frames) give_frame(*found.source, frame);
    }
  }

  const fs::path& root_;
  const Options& options_;
  RecordSink& sink_;
  std::map<std::string, std::vector<SeriesFile>> series_;
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
  Reader(root, options, sink).read_all();
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
       "images of each series, evenly spread by instance number; 0: all"},
      {"burned_in", false, 0, 0, "take images that may have burned-in annotations by what they state, too"},
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
