#include <algorithm>
#include <medretrieval/imaging/import.hpp>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "base/concat.hpp"
#include "base/parallel_for.hpp"
#include "imaging/deidentify.hpp"
#include "imaging/file_bytes.hpp"
#include "imaging/import_folder.hpp"
#include "imaging/import_manifest.hpp"
#include "imaging/import_splits.hpp"
#include "imaging/opencv_threads.hpp"

namespace medretrieval::imaging {

using detail::fail;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kShownExamples = 3;
constexpr std::size_t kImagesPerThread = 16;  // of one batch: records held in memory at a time

void count_skipped(std::map<std::string, SkippedCount>& skipped, std::string_view kind,
                   const std::string& what) {
  SkippedCount& entry = skipped[std::string(kind)];
  ++entry.count;
  if (entry.examples.size() < kShownExamples) entry.examples.push_back(what);
}

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

/// Looks through the records of an official split before anything is written.
class SplitCheck final : public RecordSink {
 public:
  explicit SplitCheck(int threads) : threads_(detail::resolve_threads(threads)) {}
  int threads() const override { return threads_; }
  void expect(std::size_t) override {}
  void add(DatasetRecord record) override {
    has_test_part_ = has_test_part_ || record.official == OfficialSplit::test;
    parts_.add(record, record.official == OfficialSplit::test         ? Split::query
                       : record.official == OfficialSplit::validation ? Split::database
                                                                      : Split::train);
  }
  void skip(std::string_view, const std::string&) override {}

  bool has_test_part() const { return has_test_part_; }
  void refuse_leak() const {
    if (parts_.in_two_splits() == 0) return;
    fail(ErrorCode::incompatible, "the official split has ", parts_.in_two_splits(),
         " patients in two parts (", parts_.first_in_two(),
         " is one), so that a query could find its own patient; split by patient, or allow the leak");
  }

 private:
  int threads_;
  bool has_test_part_ = false;
  SplitTally parts_;
};

/// Progress in images, from many threads but one at a time.
class ImageCounter {
 public:
  explicit ImageCounter(const Progress& progress) : progress_(progress) {}
  void expect(std::size_t total) { total_ = total; }
  void one_done() {
    const std::lock_guard lock(mutex_);
    ++done_;
    total_ = std::max(total_, done_);
    if (progress_ && !cancelled_) cancelled_ = !progress_({"import", done_, total_});
    if (cancelled_) {
      fail(ErrorCode::cancelled, "the import was cancelled after ", done_,
           " images; the same command goes on from there");
    }
  }

 private:
  const Progress& progress_;
  std::mutex mutex_;
  std::size_t total_ = 0;
  std::size_t done_ = 0;
  bool cancelled_ = false;
};

/// Takes records in batches: images over the threads, then the rows of the manifest in order.
class Importer final : public RecordSink {
 public:
  Importer(const DatasetType& type, const ImportOptions& options, const IdDigest* digest,
           const ImportFolder& folder, SplitChooser splits, const Progress& progress)
      : type_(type),
        options_(options),
        digest_(digest),
        folder_(folder),
        splits_(splits),
        counter_(progress),
        manifest_(folder.manifest(), type.attributes),
        threads_(detail::resolve_threads(options.threads)) {}

  int threads() const override { return threads_; }
  void expect(std::size_t records) override { counter_.expect(records); }
  void skip(std::string_view kind, const std::string& what) override {
    count_skipped(report_.skipped, kind, what);
    counter_.one_done();
  }
  void add(DatasetRecord record) override {
    check_record(record, type_);
    if (options_.split == SplitRule::official && record.official == OfficialSplit::none) {
      return skip("no_official_part", record.key);
    }
    if (!keys_.insert(Fingerprint::of(std::as_bytes(std::span(record.key)))).second) {
      return skip("same_image_twice", record.key + " " + record.source.file.string());
    }
    batch_.push_back({std::move(record)});
    if (batch_.size() >= kImagesPerThread * static_cast<std::size_t>(threads_)) flush();
  }

  ImportReport finish() {
    flush();
    manifest_.finish();
    report_.patients = tally_.patients();
    report_.splits = tally_.counts();
    report_.patients_in_two_splits = tally_.in_two_splits();
    return std::move(report_);
  }

 private:
  struct Entry {
    DatasetRecord record;
    std::string path = {};
    bool made = false;
    std::optional<Error> failure = {};
  };
  struct Hash {
    std::size_t operator()(const Fingerprint& key) const noexcept {
      return static_cast<std::size_t>(key.low);
    }
  };

  /// \throws Error (io) when the image cannot be written; one that cannot be read is kept in the entry.
  void make_image(Entry& entry) {
    const DatasetRecord& record = entry.record;
    entry.path = ImportFolder::image_path(digest_ != nullptr ? digest_->of("image", record.key) : record.key);
    const fs::path file = folder_.path() / entry.path;
    if (fs::exists(file)) return;
    Image image;
    try {
      image = record.load ? record.load() : load_source(record.source);
    } catch (const Error& error) {
      entry.failure = error;
      return;
    }
    if (options_.longest_side > 0) image = thumbnail(image, options_.longest_side);
    write_png(image, file, options_.bits == 0 ? type_.bits : options_.bits);
    entry.made = true;
  }

  void flush() {
    detail::parallel_for(batch_.size(), threads_, [&](std::size_t i) {
      make_image(batch_[i]);
      counter_.one_done();
    });
    for (Entry& entry : batch_) take(entry);
    batch_.clear();
  }

  void take(Entry& entry) {
    DatasetRecord& record = entry.record;
    if (entry.failure) {
      return count_skipped(report_.skipped, kind_of(entry.failure->code()), entry.failure->what());
    }
    const Split split = splits_.of(record);
    tally_.add(record, split);
    ++report_.images;
    if (entry.made) ++report_.written;
    record.date = deidentified_date(record.date, options_.dates, record.patient, digest_);
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
  SplitChooser splits_;
  ImageCounter counter_;
  ManifestWriter manifest_;
  int threads_;
  std::vector<Entry> batch_;
  std::unordered_set<Fingerprint, Hash> keys_;
  SplitTally tally_;
  ImportReport report_;
};

/// All that the bytes of the result depend on, besides the data set.
std::string settings_text(const DatasetType& type, const ImportOptions& options, const IdDigest* digest) {
  nlohmann::ordered_json parameters = nlohmann::ordered_json::object();
  for (const auto& [name, value] : complete_parameters(options.parameters, type.options, type.name)) {
    parameters[name] = medretrieval::to_string(value);
  }
  constexpr const char* kDates[] = {"keep", "shift", "remove"};
  const nlohmann::ordered_json settings = {
      {"format", 1},
      {"dataset", type.name},
      {"options", parameters},
      {"split", options.split == SplitRule::official ? "official" : "patient"},
      {"seed", options.seed},
      {"train_share", options.train_share},
      {"database_share", options.database_share},
      {"allow_leak", options.allow_leak},
      {"ids", digest == nullptr ? "as published" : "HMAC-SHA-256, 128 bits"},
      {"key_check", digest == nullptr ? "" : digest->of("key", "check")},
      {"dates", kDates[static_cast<std::size_t>(options.dates)]},
      {"bits", options.bits == 0 ? type.bits : options.bits},
      {"longest_side", options.longest_side}};
  return settings.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

void check_options(const DatasetType& type, const ImportOptions& options) {
  options.validate();
  if (options.split == SplitRule::official && !type.has_official_split) {
    fail(ErrorCode::invalid_argument, "the data set '", type.name,
         "' has no official split; split by patient");
  }
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
  std::unique_ptr<const IdDigest> digest;
  if (!options.key_file.empty()) digest = std::make_unique<IdDigest>(IdDigest::from_file(options.key_file));
  bool has_test_part = false;
  if (options.split == SplitRule::official) {
    SplitCheck check(options.threads);
    read_dataset(name, root, options.parameters, check);
    if (!options.allow_leak) check.refuse_leak();
    has_test_part = check.has_test_part();
  }
  const std::string settings = settings_text(type, options, digest.get());
  const ImportFolder output(folder, settings);
  const SingleThreadedOpenCv opencv;
  Importer importer(type, options, digest.get(), output, SplitChooser(options, has_test_part), progress);
  read_dataset(name, root, options.parameters, importer);
  return importer.finish();
}

}  // namespace medretrieval::imaging
