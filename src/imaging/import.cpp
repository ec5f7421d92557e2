#include <medretrieval/imaging/import.hpp>
#include <memory>
#include <system_error>

#include "base/concat.hpp"
#include "base/parallel_for.hpp"
#include "imaging/deidentify.hpp"
#include "imaging/file_bytes.hpp"
#include "imaging/import_folder.hpp"
#include "imaging/import_manifest.hpp"
#include "imaging/import_options.hpp"
#include "imaging/import_source.hpp"
#include "imaging/import_splits.hpp"
#include "imaging/import_survey.hpp"
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
    sync(folder_.images());
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

}  // namespace

ImportReport import_dataset(const std::string& name, const fs::path& root, const fs::path& folder,
                            const ImportOptions& options, const Progress& progress) {
  const DatasetType& type = dataset_type(name);
  check_import(type, options, root, folder);
  std::unique_ptr<const IdDigest> digest;
  if (!options.key_file.empty()) digest = std::make_unique<IdDigest>(IdDigest::from_file(options.key_file));
  const SourceState before = source_state(root);
  Survey survey(type, options.split, progress);
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
