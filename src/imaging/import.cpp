#include <algorithm>
#include <medretrieval/imaging/import.hpp>
#include <medretrieval/version.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <system_error>

#include "base/concat.hpp"
#include "base/parallel_for.hpp"
#include "imaging/deidentify.hpp"
#include "imaging/file_bytes.hpp"
#include "imaging/import_folder.hpp"
#include "imaging/import_manifest.hpp"
#include "imaging/import_source.hpp"
#include "imaging/import_splits.hpp"
#include "imaging/import_survey.hpp"
#include "imaging/opencv_threads.hpp"
#include "imaging/png_check.hpp"

namespace medretrieval::imaging {

using detail::fail;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kImagesPerThread = 16;  // of one batch: records held in memory at a time
/// Files of one batch, together: records may keep theirs open until their image is made.
constexpr std::uintmax_t kBatchBytes = std::uintmax_t{1} << 28;

std::string_view kind_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::not_found:
      return "missing_image";
    case ErrorCode::unsupported:
      return "unsupported_image";
    case ErrorCode::limit_exceeded:
      return "too_large_image";
    default:
      return "unreadable_image";
  }
}

/// The message of an Error about a record, with its file in front unless that is there already.
std::string with_file(const fs::path& file, const std::string& message) {
  return message.starts_with(file.string()) ? message : file.string() + ": " + message;
}

DatePolicy date_policy(const ImportOptions& options) {
  return options.dates.value_or(options.key_file.empty() ? DatePolicy::keep : DatePolicy::remove);
}

/// Takes records in batches: images over the threads, then the rows of the manifest in order.
class Importer final : public RecordSink {
 public:
  Importer(const DatasetType& type, const ImportOptions& options, const IdDigest* digest,
           const ImportFolder& folder, const Survey& survey, const Progress& progress)
      : type_(type),
        options_(options),
        digest_(digest),
        folder_(folder),
        survey_(survey),
        splits_(options, survey.has_test_part(), digest),
        reporter_(progress, "import", 0),
        manifest_(folder.manifest(), type.attributes),
        bits_(options.bits == 0 ? type.bits : options.bits),
        threads_(detail::resolve_threads(options.threads)) {}

  int threads() const override { return threads_; }
  void expect(std::size_t records) override { reporter_.expect(records); }
  void skip(std::string_view kind, const std::string& what) override {
    count_kind(report_.skipped, kind, what);
    reporter_.one_done();
  }
  void note(std::string_view kind, const std::string& what) override {
    count_kind(report_.noted, kind, what);
  }
  void add(DatasetRecord record) override {
    check_record(record, type_);
    if (options_.split == SplitRule::official && record.official == OfficialSplit::none) {
      return skip("no_official_part", record.key);
    }
    Subject subject = survey_.groups().of(record);
    if (subject.of_two_patients) {
      return skip("study_of_two_patients", with_file(record.source.file, record.key));
    }
    if (record.patient.empty() && !subject.patient.empty()) {
      note("patient_known_from_study", with_file(record.source.file, record.key));
    }
    record.patient = std::move(subject.patient);
    count_file(record.source.file);
    const Fingerprint key = fingerprint_of(record.key);
    batch_.push_back({std::move(record), key, subject.unit});
    if (batch_.size() >= kImagesPerThread * static_cast<std::size_t>(threads_) ||
        batch_bytes_ > kBatchBytes) {
      flush();
    }
  }

  /// \throws Error (not_found) when no image was made.
  ImportReport finish(const fs::path& root) {
    flush();
    if (report_.images == 0) {
      fail(ErrorCode::not_found, "no image of the data set '", type_.name, "' in ", root.string(),
           " could be made; left out: ", list_of_counts(report_.skipped));
    }
    report_.patients = tally_.patients();
    report_.splits = tally_.counts();
    report_.patients_in_two_splits = tally_.in_two_splits();
    return report_;
  }
  void publish() {
    sync_file_system(folder_.images());
    manifest_.finish();
  }

 private:
  struct Entry {
    DatasetRecord record;
    Fingerprint key;
    Fingerprint unit;
    std::string path = {};
    bool made = false;  ///< by this run
    bool is_repeated = false;
    std::optional<Error> failure = {};
  };

  void count_file(const fs::path& file) {
    if (file == last_file_) return;
    last_file_ = file;
    std::error_code error;
    const std::uintmax_t size = fs::file_size(file, error);
    if (!error) batch_bytes_ += size;
  }

  /// \throws Error (io) when the image cannot be written; one that cannot be read is kept in the entry.
  void make_image(Entry& entry) {
    DatasetRecord& record = entry.record;
    entry.path = ImportFolder::image_path(digest_ != nullptr ? digest_->of("image", record.key) : record.key);
    const fs::path file = folder_.path() / entry.path;
    // Which of several sources an image was made from cannot be seen from it.
    const bool has_one_source = !survey_.repeated_keys().contains(entry.key);
    if (has_one_source && is_whole_grey_png(file, bits_)) return;
    Image image;
    try {
      image = record.load ? record.load() : load_source(record.source);
    } catch (const Error& error) {
      entry.failure = error;
      return;
    }
    if (options_.longest_side > 0) image = thumbnail(image, options_.longest_side);
    write_png(image, file, bits_);
    entry.made = true;
  }

  /// Of several sources of one image the first that can be read is taken: each has its turn when those before it
  /// have failed, whatever batch they are in.
  void flush() {
    std::vector<Entry*> waiting;
    for (Entry& entry : batch_) waiting.push_back(&entry);
    while (!waiting.empty()) {
      std::vector<Entry*> now;
      std::vector<Entry*> later;
      KeySet claimed;
      for (Entry* entry : waiting) {
        entry->is_repeated = made_keys_.contains(entry->key);
        if (!entry->is_repeated) (claimed.insert(entry->key).second ? now : later).push_back(entry);
      }
      detail::parallel_for(now.size(), threads_, [&](std::size_t i) {
        make_image(*now[i]);
        now[i]->record.load = nullptr;
        reporter_.one_done();
      });
      for (const Entry* entry : now) {
        if (!entry->failure) made_keys_.insert(entry->key);
      }
      waiting = std::move(later);
    }
    for (Entry& entry : batch_) take(entry);
    batch_.clear();
    batch_bytes_ = 0;
  }

  void take(Entry& entry) {
    DatasetRecord& record = entry.record;
    if (entry.is_repeated) return skip("same_image_twice", with_file(record.source.file, record.key));
    if (entry.failure) {
      return count_kind(report_.skipped, kind_of(entry.failure->code()),
                        with_file(record.source.file, entry.failure->what()));
    }
    const Split split = splits_.of(entry.unit, record.official);
    tally_.add(entry.unit, split);
    ++report_.images;
    if (entry.made) ++report_.written;
    record.date = deidentified_date(record.date, date_policy(options_), record.patient, digest_);
    replace_id("patient", record.patient);
    replace_id("study", record.study);
    replace_id("series", record.series);
    manifest_.add(entry.path, to_string(split), record);
  }

  void replace_id(std::string_view purpose, std::string& id) const {
    if (digest_ != nullptr && !id.empty()) id = digest_->of(purpose, id);
  }

  const DatasetType& type_;
  const ImportOptions& options_;
  const IdDigest* digest_;
  const ImportFolder& folder_;
  const Survey& survey_;
  SplitChooser splits_;
  Reporter reporter_;
  ManifestWriter manifest_;
  int bits_;
  int threads_;
  std::vector<Entry> batch_;
  std::uintmax_t batch_bytes_ = 0;
  fs::path last_file_;
  KeySet made_keys_;
  SplitTally tally_;
  ImportReport report_;
};

/// All that the bytes of the result depend on.
std::string settings_text(const DatasetType& type, const ImportOptions& options, const IdDigest* digest,
                          const SourceState& source) {
  nlohmann::ordered_json parameters = nlohmann::ordered_json::object();
  for (const auto& [name, value] : complete_parameters(options.parameters, type.options, type.name)) {
    const auto& outputs = type.output_options;
    if (std::find(outputs.begin(), outputs.end(), name) != outputs.end()) continue;
    parameters[name] = medretrieval::to_string(value);
  }
  constexpr const char* kDates[] = {"keep", "shift", "remove"};
  const std::string state = source.fingerprint.to_string();  // of names of files among others
  const nlohmann::ordered_json settings = {
      {"format", 2},
      {"library", version()},
      {"dataset", type.name},
      {"dataset_version", type.version},
      {"options", parameters},
      {"data", digest == nullptr ? state : digest->of("data", state)},
      {"data_files", source.files},
      {"data_bytes", source.bytes},
      {"split", options.split == SplitRule::official ? "official" : "patient"},
      {"seed", options.seed},
      {"train_share", options.train_share},
      {"database_share", options.database_share},
      {"allow_leak", options.allow_leak},
      {"ids", digest == nullptr ? "as published" : "HMAC-SHA-256, 128 bits"},
      {"key_check", digest == nullptr ? "" : digest->of("key", "check")},
      {"dates", kDates[static_cast<std::size_t>(date_policy(options))]},
      {"bits", options.bits == 0 ? type.bits : options.bits},
      {"longest_side", options.longest_side}};
  return settings.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

/// What is written must not become data: the folder lies outside of the root.
void check_folder(const fs::path& root, const fs::path& folder) {
  std::error_code error;  // what cannot be resolved is refused later, when it is opened
  if (folder.empty()) return;
  const auto resolved = [&](const fs::path& path) {
    const fs::path whole = fs::absolute(path, error);
    return error ? whole : fs::weakly_canonical(whole, error);
  };
  const fs::path outer = resolved(root);
  const fs::path inner = resolved(folder);
  if (error) return;
  const auto [end, ignored] = std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end());
  if (end != outer.end()) return;
  fail(ErrorCode::invalid_argument, "the folder ", folder.string(), " to write to lies in the data set ",
       root.string(), "; take one outside of it");
}

void check_official_split(const DatasetType& type, const fs::path& root) {
  if (!type.has_official_split) {
    fail(ErrorCode::invalid_argument, "the data set '", type.name,
         "' has no official split; split by patient");
  }
  std::string missing;
  std::error_code error;
  for (const std::string& name : type.official_files) {
    if (!fs::is_regular_file(root / name, error)) missing += (missing.empty() ? "" : ", ") + name;
  }
  if (!missing.empty() && fs::is_directory(root, error)) {
    fail(ErrorCode::not_found, "the official split of '", type.name, "' needs ", missing, ", not found in ",
         root.string());
  }
}

void check_options(const DatasetType& type, const ImportOptions& options) {
  options.validate();
  if (type.has_identities && options.key_file.empty() && !options.keep_identities) {
    fail(
        ErrorCode::invalid_argument, "the ids of the data set '", type.name,
        "' can be those of a hospital: give a key file, so that digests replace them, or say that they stay");
  }
}

}  // namespace

void ImportOptions::validate() const {
  const auto is_share = [](double value) { return value >= 0 && value <= 1; };
  if (!is_share(train_share) || !is_share(database_share) || train_share + database_share > 1) {
    fail(ErrorCode::invalid_argument,
         "train_share and database_share must be 0 to 1 and come to at most 1, got ", train_share, " and ",
         database_share);
  }
  if (bits != 0 && bits != 8 && bits != 16) {
    fail(ErrorCode::invalid_argument, "bits must be 0, 8 or 16, got ", bits);
  }
  if (longest_side > kMaxImageSide) {
    fail(ErrorCode::invalid_argument, "longest_side must be 0 to ", kMaxImageSide, ", got ", longest_side);
  }
  if (dates == DatePolicy::shift && key_file.empty()) {
    fail(ErrorCode::invalid_argument, "shifting dates needs a key file");
  }
}

ImportReport import_dataset(const std::string& name, const fs::path& root, const fs::path& folder,
                            const ImportOptions& options, const Progress& progress) {
  const DatasetType& type = dataset_type(name);
  check_options(type, options);
  if (options.split == SplitRule::official) check_official_split(type, root);
  check_folder(root, folder);
  for (const std::string& name_of_output : type.output_options) {
    const auto given = options.parameters.find(name_of_output);
    if (given == options.parameters.end()) continue;
    if (const auto* output = std::get_if<std::string>(&given->second)) check_folder(root, *output);
  }
  std::unique_ptr<const IdDigest> digest;
  if (!options.key_file.empty()) digest = std::make_unique<IdDigest>(IdDigest::from_file(options.key_file));
  const SingleThreadedOpenCv opencv;
  const SourceState before = source_state(root);
  Survey survey(type, options.split, detail::resolve_threads(options.threads), progress);
  read_dataset(name, root, options.parameters, survey);
  survey.require_usable(root, options.allow_leak);
  survey.forget_keys();
  const ImportFolder output(folder, settings_text(type, options, digest.get(), before));
  Importer importer(type, options, digest.get(), output, survey, progress);
  read_dataset(name, root, options.parameters, importer);
  ImportReport report = importer.finish(root);
  if (source_state(root) != before) {
    fail(ErrorCode::incompatible, "the data set in ", root.string(),
         " changed while it was imported; import it anew into another folder");
  }
  importer.publish();
  return report;
}

}  // namespace medretrieval::imaging
