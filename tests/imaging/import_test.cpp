#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <medretrieval/imaging/import.hpp>
#include <medretrieval/imaging/manifest.hpp>

#include "imaging/dataset_support.hpp"
#include "imaging/opencv_threads.hpp"

namespace medretrieval::imaging {
namespace {

namespace fs = std::filesystem;

/// A data set that exists only here: `patients` patients with three images each.
struct Invented {
  std::size_t patients = 40;
  bool leaks = false;
  std::string extra_key;
  bool extra_is_damaged = false;  ///< the record of extra_key comes first and cannot be read
  /// Changes every record before it is given.
  std::function<void(DatasetRecord&, std::size_t patient, std::size_t index)> change;
  std::atomic<int> loads = 0;
};
Invented invented;

Image grey(float level) {
  Image image(8, 6, PixelUnit::display);
  std::fill(image.pixels().begin(), image.pixels().end(), level);
  return image;
}

DatasetRecord invented_record(std::size_t patient, std::size_t index) {
  DatasetRecord record;
  record.patient = "patient " + std::to_string(patient);
  record.study = "study " + std::to_string(patient);
  record.key = std::to_string(patient) + "_" + std::to_string(index);
  record.date = Date{2020, 1, 1 + static_cast<int>(index)};
  record.labels = {patient % 2 == 0 ? "even" : "odd", "all"};
  record.attributes["note"] = "a, \"b\"";
  const std::size_t part = invented.leaks ? (patient + index) % 10 : patient % 10;
  record.official = part < 7   ? OfficialSplit::train
                    : part < 8 ? OfficialSplit::validation
                               : OfficialSplit::test;
  record.load = [patient] {
    ++invented.loads;
    if (patient == 3) throw Error(ErrorCode::corrupt, "patient 3 is damaged");
    return grey(static_cast<float>(patient) / 100);
  };
  return record;
}

void read_invented(const fs::path&, const Parameters&, RecordSink& sink) {
  sink.expect(invented.patients * 3);
  const auto give_extra = [&] {
    DatasetRecord record = invented_record(0, 0);
    record.key = invented.extra_key;
    if (invented.extra_is_damaged) {
      record.load = []() -> Image { throw Error(ErrorCode::corrupt, "the first source is damaged"); };
    }
    sink.add(std::move(record));
  };
  if (!invented.extra_key.empty() && invented.extra_is_damaged) give_extra();
  for (std::size_t patient = 0; patient < invented.patients; ++patient) {
    for (std::size_t index = 0; index < 3; ++index) {
      DatasetRecord record = invented_record(patient, index);
      if (invented.change) invented.change(record, patient, index);
      sink.add(std::move(record));
    }
  }
  sink.note("remark", "worth knowing");
  if (!invented.extra_key.empty() && !invented.extra_is_damaged) give_extra();
}

class Import : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    DatasetType type;
    type.name = "invented";
    type.attributes = {"note"};
    type.has_official_split = true;
    type.read = read_invented;
    register_dataset_type(type);
    type.name = "invented-hospital";
    type.has_identities = true;
    type.has_official_split = false;
    register_dataset_type(type);
  }
  void SetUp() override {
    invented.patients = 40;
    invented.leaks = false;
    invented.extra_key.clear();
    invented.extra_is_damaged = false;
    invented.change = nullptr;
    invented.loads = 0;
    write_text(data_ / "table.csv", "a table");
    write_text(key_, "0123456789abcdef");
  }
  ImportReport run(const ImportOptions& options = {}, const std::string& folder = "out") {
    return import_dataset("invented", data_.path(), root_ / folder, options);
  }
  /// Every file of a folder with its bytes.
  std::map<std::string, std::string> content(const std::string& folder = "out") const {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(root_ / folder)) {
      if (entry.is_regular_file()) {
        files[entry.path().lexically_relative(root_ / folder).string()] = read_text(entry.path());
      }
    }
    return files;
  }
  Manifest manifest(const std::string& folder = "out") const {
    return read_manifest(root_ / folder, root_ / (folder + "/manifest.csv"));
  }
  /// The splits each patient is in.
  std::map<std::string, std::set<std::string>> splits(const std::string& folder = "out") const {
    std::map<std::string, std::set<std::string>> splits;
    for (const auto& row : manifest(folder).rows) splits[row.patient].insert(row.split);
    return splits;
  }

  testing::TemporaryFolder data_;
  testing::TemporaryFolder root_;
  fs::path key_ = root_ / "key";
};

TEST_F(Import, WritesTheGeneralForm) {
  const ImportReport report = run();
  EXPECT_EQ(report.images, 117U);
  EXPECT_EQ(report.written, 117U);
  EXPECT_EQ(report.patients, 39U);
  EXPECT_EQ(report.skipped.at("unreadable_image").count, 3U);
  EXPECT_EQ(report.skipped.at("unreadable_image").examples[0], "patient 3 is damaged");
  const Manifest written = manifest();
  ASSERT_EQ(written.rows.size(), 117U);
  EXPECT_EQ(written.other_columns, (std::vector<std::string>{"study", "series", "modality", "date", "note"}));
  EXPECT_EQ(written.rows[1].path, "images/0_1.png");
  EXPECT_EQ(written.rows[1].labels, (std::vector<std::string>{"even", "all"}));
  EXPECT_EQ(written.rows[1].other, (std::vector<std::string>{"study 0", "", "", "2020-01-02", "a, \"b\""}));
  EXPECT_NEAR(load_image(written.rows.back().file).at(0, 0), 0.39F, 0.003F);
  std::size_t images = 0;
  for (const auto& [name, count] : report.splits) images += count.images;
  EXPECT_EQ(images, 117U);
}

TEST_F(Import, APatientIsInOneSplitAndSharesHold) {
  invented.patients = 600;
  const ImportReport report = run();
  for (const auto& [patient, names] : splits()) EXPECT_EQ(names.size(), 1U) << patient;
  EXPECT_EQ(report.patients_in_two_splits, 0U);
  EXPECT_NEAR(static_cast<double>(report.splits.at("train").patients) / 599, 0.5, 0.06);
  EXPECT_NEAR(static_cast<double>(report.splits.at("database").patients) / 599, 0.35, 0.06);
  ImportOptions other;
  other.seed = 2;
  run(other, "other");
  EXPECT_NE(splits("other"), splits());
}

TEST_F(Import, MorePatientsMoveNobody) {
  run();
  const auto before = splits();
  invented.patients = 60;
  run({}, "larger");
  const auto after = splits("larger");
  for (const auto& [patient, names] : before) EXPECT_EQ(after.at(patient), names);
}

TEST_F(Import, TheOfficialSplitKeepsTheTestPart) {
  ImportOptions options;
  options.split = SplitRule::official;
  run(options);
  for (const auto& [patient, names] : splits()) {
    ASSERT_EQ(names.size(), 1U) << patient;
    const int part = std::stoi(patient.substr(8)) % 10;
    if (part >= 8) {
      EXPECT_EQ(*names.begin(), "query");
    } else if (part == 7) {
      EXPECT_EQ(*names.begin(), "database");
    } else {
      EXPECT_NE(*names.begin(), "query");
    }
  }
}

TEST_F(Import, AnOfficialSplitThatLeaksNeedsPermission) {
  invented.leaks = true;
  ImportOptions options;
  options.split = SplitRule::official;
  EXPECT_ERROR(run(options), incompatible, "20 patients in two parts (patient 15 is one)");
  EXPECT_FALSE(fs::exists(root_ / "out"));
  options.allow_leak = true;
  EXPECT_GT(run(options).patients_in_two_splits, 0U);
}

TEST_F(Import, AnInterruptedImportGoesOnToTheSameBytes) {
  run({}, "whole");
  std::size_t reports = 0;
  invented.loads = 0;
  const Progress stop = [&](const ProgressReport& report) {
    EXPECT_EQ(report.total, 120U);
    return report.stage != "import" || ++reports < 50;
  };
  ImportOptions one_thread;
  one_thread.threads = 1;
  EXPECT_ERROR(import_dataset("invented", data_.path(), root_ / "out", one_thread, stop), cancelled,
               "50 of 120");
  EXPECT_FALSE(fs::exists(root_ / "out/manifest.csv"));
  EXPECT_FALSE(fs::exists(root_ / "out/manifest.csv.unfinished"));
  write_text(root_ / "out/images/0_1.png.1234.tmp", "half");
  write_text(root_ / "out/manifest.csv.unfinished", "half");
  const int before = invented.loads;
  const ImportReport report = run();
  EXPECT_EQ(report.images, 117U);
  EXPECT_LT(report.written, 72U);
  EXPECT_LE(invented.loads - before, 120 - before + 3) << "what was done is not done again";
  EXPECT_EQ(content(), content("whole"));
  EXPECT_EQ(run().written, 0U);
  EXPECT_EQ(content(), content("whole"));
}

TEST_F(Import, ThreadsDoNotChangeTheBytes) {
  ImportOptions options;
  options.threads = 1;
  run(options);
  options.threads = 4;
  run(options, "four");
  EXPECT_EQ(content(), content("four"));
}

TEST_F(Import, AFolderIsOneImport) {
  run();
  ImportOptions other;
  other.seed = 7;
  EXPECT_ERROR(run(other), incompatible, "(seed differ");
  write_text(root_ / "full/file", "x");
  EXPECT_ERROR(run({}, "full"), already_exists, "not empty");
  EXPECT_ERROR(import_dataset("absent", data_.path(), root_ / "x"), not_found, "unknown data set 'absent'");
  EXPECT_ERROR(import_dataset("invented", data_ / "absent", root_ / "x"), not_found, "no folder");
  EXPECT_FALSE(fs::exists(root_ / "x"));
}

TEST_F(Import, DigestsReplaceEveryId) {
  ImportOptions options;
  options.key_file = key_;
  options.dates = DatePolicy::shift;
  run(options);
  for (const auto& [path, bytes] : content()) {
    EXPECT_EQ(path.find("_"), std::string::npos) << path;
    EXPECT_EQ(bytes.find("patient "), std::string::npos) << path;
    EXPECT_EQ(bytes.find("study "), std::string::npos) << path;
    EXPECT_EQ(bytes.find("2020-"), std::string::npos) << path;
    EXPECT_EQ(bytes.find("0123456789abcdef"), std::string::npos) << path;
  }
  run({}, "plain");
  const auto hidden = manifest().rows;
  const auto plain = manifest("plain").rows;
  ASSERT_EQ(hidden.size(), plain.size());
  std::size_t moved = 0;
  for (std::size_t i = 0; i < plain.size(); ++i) {
    moved += hidden[i].split == plain[i].split ? 0 : 1;
    EXPECT_EQ(hidden[i].patient == hidden[0].patient, plain[i].patient == plain[0].patient);
  }
  EXPECT_GT(moved, plain.size() / 3) << "a draw without the key would tell of ids";
  for (const auto& [patient, names] : splits()) EXPECT_EQ(names.size(), 1U) << patient;
  ImportOptions other = options;
  write_text(key_, "another key of bytes");
  EXPECT_ERROR(run(other), incompatible, "key_check");
}

TEST_F(Import, IdsOfAHospitalNeedAKeyOrAWord) {
  const auto hospital = [&](const ImportOptions& options) {
    return import_dataset("invented-hospital", data_.path(), root_ / "out", options);
  };
  EXPECT_ERROR(hospital({}), invalid_argument, "give a key file");
  ImportOptions kept;
  kept.keep_identities = true;
  EXPECT_EQ(hospital(kept).images, 117U);
  ImportOptions official = kept;
  official.split = SplitRule::official;
  EXPECT_ERROR(hospital(official), invalid_argument, "no official split");
}

TEST_F(Import, KeysCannotLeaveTheFolder) {
  for (const std::string key : {"../../up", "/etc/x", "..", "-rf", "a b", "\xC3\xA4"}) {
    fs::remove_all(root_ / "out");
    invented.patients = 1;
    invented.extra_key = key;
    EXPECT_EQ(run().images, 4U) << key;
    const auto rows = manifest().rows;
    EXPECT_EQ(rows.back().path.size(), std::string("images/.png").size() + 32) << key;
  }
}

TEST_F(Import, TheSameImageTwiceIsCountedOnce) {
  invented.extra_key = "0_0";
  const ImportReport report = run();
  EXPECT_EQ(report.images, 117U);
  EXPECT_EQ(report.skipped.at("same_image_twice").count, 1U);
}

TEST_F(Import, OptionsAreChecked) {
  ImportOptions options;
  options.bits = 12;
  EXPECT_ERROR(run(options), invalid_argument, "bits must be 0, 8 or 16, got 12");
  options = {};
  options.train_share = 0.9;
  EXPECT_ERROR(run(options), invalid_argument, "come to at most 1");
  options = {};
  options.dates = DatePolicy::shift;
  EXPECT_ERROR(run(options), invalid_argument, "needs a key");
  options = {};
  options.parameters = {{"speed", true}};
  EXPECT_ERROR(run(options), invalid_argument, "has no option 'speed'");
}

TEST_F(Import, AnotherSourceHasItsTurnWhenTheFirstIsDamaged) {
  invented.extra_key = "39_1";
  invented.extra_is_damaged = true;
  ImportOptions options;
  options.threads = 1;  // the two sources are in different batches
  const ImportReport report = run(options, "one");
  EXPECT_EQ(report.images, 117U);
  EXPECT_EQ(report.skipped.at("unreadable_image").count, 4U);
  EXPECT_FALSE(report.skipped.contains("same_image_twice"));
  options.threads = 16;  // and here in one
  run(options, "sixteen");
  EXPECT_EQ(content("one"), content("sixteen"));
  run(options, "sixteen");
  EXPECT_EQ(content("one"), content("sixteen"))
      << "the image that is there is not taken for the first source's";
}

TEST_F(Import, AStudyIsOfThePatientThatSomeOfItNames) {
  invented.change = [](DatasetRecord& record, std::size_t, std::size_t index) {
    if (index > 0) record.patient.clear();
    if (index == 2) record.series = "series of " + record.study;
  };
  const ImportReport report = run();
  EXPECT_EQ(report.patients, 39U);
  EXPECT_EQ(report.patients_in_two_splits, 0U);
  EXPECT_EQ(report.noted.at("patient_known_from_study").count, 80U);
  for (const auto& [patient, names] : splits()) {
    EXPECT_FALSE(patient.empty());
    EXPECT_EQ(names.size(), 1U) << patient;
  }
  invented.change = [](DatasetRecord& record, std::size_t, std::size_t index) {
    record.patient.clear();
    if (index > 0) record.series = "series of " + record.study;  // joins what has no study to what has one
    if (index == 2) record.study.clear();
  };
  EXPECT_EQ(run({}, "nobody").patients, 39U) << "studies hang together where nobody is named";
}

TEST_F(Import, AStudyOfTwoPatientsIsLeftOut) {
  invented.change = [](DatasetRecord& record, std::size_t patient, std::size_t index) {
    if (patient == 7 && index == 1) record.study = "study 8";
  };
  const ImportReport report = run();
  EXPECT_EQ(report.skipped.at("study_of_two_patients").count, 4U);
  EXPECT_EQ(report.images, 113U);
  EXPECT_EQ(splits().size(), 38U) << "all of patient 8 is of that study";
}

TEST_F(Import, ADamagedImageOfAnEarlierRunIsMadeAgain) {
  run({}, "whole");
  const fs::path images = root_ / "whole/images";
  const auto damage = [&](const std::string& name, const std::function<void(std::string&)>& change) {
    std::string bytes = read_text(images / name);
    change(bytes);
    write_text(images / name, bytes);
  };
  damage("0_0.png", [](std::string& bytes) { bytes.clear(); });
  damage("0_1.png", [](std::string& bytes) { bytes.resize(bytes.size() / 2); });
  damage("0_2.png", [](std::string& bytes) { bytes[bytes.size() / 2] ^= 1; });
  damage("1_0.png", [](std::string& bytes) { bytes += "more"; });
  damage("1_1.png", [](std::string& bytes) { bytes.assign(bytes.size(), '\0'); });
  EXPECT_EQ(run({}, "whole").written, 5U);
  run({}, "again");
  EXPECT_EQ(content("whole"), content("again"));
}

TEST_F(Import, AChangedDataSetIsNoticed) {
  run();
  fs::last_write_time(data_ / "table.csv",
                      fs::last_write_time(data_ / "table.csv") + std::chrono::seconds(1));
  EXPECT_ERROR(run(), incompatible, "(data differ");
  run({}, "second");
  write_text(data_ / "table.csv", "a longer table");
  EXPECT_ERROR(run({}, "second"), incompatible, "data_bytes");
  invented.change = [&](DatasetRecord& record, std::size_t patient, std::size_t) {
    if (patient == 20) record.load = [&] { return write_text(data_ / "new.csv", "x"), grey(0); };
  };
  EXPECT_ERROR(run({}, "third"), incompatible, "changed while it was imported");
  EXPECT_FALSE(fs::exists(root_ / "third/manifest.csv"));
}

TEST_F(Import, TheRootMayMove) {
  ImportOptions options;
  run(options);
  fs::rename(data_.path(), root_ / "moved");
  EXPECT_EQ(import_dataset("invented", root_ / "moved", root_ / "out").written, 0U);
}

TEST_F(Import, WhatAKilledRunLeavesOfItsSettingsIsTakenAway) {
  write_text(root_ / "out/import.json.12ab.tmp", "{\"form");
  EXPECT_EQ(run().images, 117U);
  EXPECT_FALSE(fs::exists(root_ / "out/import.json.12ab.tmp"));
  write_text(root_ / "out/import.json", "");
  EXPECT_ERROR(run(), corrupt, "import.json: expected the settings of an import, got 0 bytes");
}

TEST_F(Import, NothingToImportIsAnErrorAndLeavesNothing) {
  invented.patients = 0;
  EXPECT_ERROR(run(), not_found, "no image of the data set 'invented'");
  EXPECT_FALSE(fs::exists(root_ / "out"));
  invented.patients = 40;
  ImportOptions official;
  official.split = SplitRule::official;
  invented.change = [](DatasetRecord& record, std::size_t, std::size_t) {
    record.official = OfficialSplit::none;
  };
  EXPECT_ERROR(run(official), not_found, "120 no_official_part");
  invented.change = [](DatasetRecord& record, std::size_t, std::size_t) {
    record.load = []() -> Image { throw Error(ErrorCode::not_found, "gone"); };
  };
  EXPECT_ERROR(run(), not_found, "could be made; left out: 120 missing_image (gone)");
  EXPECT_FALSE(fs::exists(root_ / "out/manifest.csv"));
  EXPECT_FALSE(fs::exists(root_ / "out/manifest.csv.unfinished"));
  invented.change = nullptr;
  ImportOptions other;
  other.seed = 9;
  EXPECT_EQ(run(other).images, 117U) << "the folder is free for other options";
}

TEST_F(Import, ImagesOfNoPartAreNoLeak) {
  invented.change = [](DatasetRecord& record, std::size_t, std::size_t index) {
    if (index == 0) record.official = OfficialSplit::none;
  };
  ImportOptions options;
  options.split = SplitRule::official;
  const ImportReport report = run(options);
  EXPECT_EQ(report.skipped.at("no_official_part").count, 40U);
  EXPECT_EQ(report.patients_in_two_splits, 0U);
}

TEST_F(Import, AKeyRemovesDatesUnlessTheyAreToStay) {
  const auto dates = [&](const ImportOptions& options, const std::string& folder) {
    run(options, folder);
    std::set<std::string> found;
    for (const auto& row : manifest(folder).rows) found.insert(row.other[3]);
    return found;
  };
  const std::set<std::string> published = {"2020-01-01", "2020-01-02", "2020-01-03"};
  ImportOptions options;
  EXPECT_EQ(dates(options, "plain"), published);
  options.key_file = key_;
  EXPECT_EQ(dates(options, "keyed"), std::set<std::string>{""});
  options.dates = DatePolicy::keep;
  EXPECT_EQ(dates(options, "kept"), published);
  options.dates = DatePolicy::shift;
  EXPECT_GT(dates(options, "shifted").size(), 60U);
}

TEST_F(Import, TheFolderLiesOutsideOfTheDataSet) {
  EXPECT_ERROR(import_dataset("invented", data_.path(), data_ / "out"), invalid_argument,
               "lies in the data set");
  EXPECT_ERROR(import_dataset("invented", data_.path(), data_.path()), invalid_argument,
               "lies in the data set");
  EXPECT_ERROR(import_dataset("invented", data_.path(), fs::proximate(data_ / "out")), invalid_argument,
               "lies in the data set");
  EXPECT_FALSE(fs::exists(data_ / "out"));
  ImportOptions wrong;
  wrong.parameters = {{"speed", true}};
  EXPECT_ERROR(run(wrong, "x"), invalid_argument, "it has none");
  EXPECT_FALSE(fs::exists(root_ / "x")) << "a wrong option makes no folder";
}

TEST_F(Import, ErrorsOfAnImageNameItsFile) {
  invented.change = [](DatasetRecord& record, std::size_t patient, std::size_t index) {
    if (patient == 3) record.source.file = "scan-" + std::to_string(index) + ".dcm";
  };
  const ImportReport report = run();
  EXPECT_EQ(report.skipped.at("unreadable_image").examples[1], "scan-1.dcm: patient 3 is damaged");
  EXPECT_EQ(report.noted.at("remark").count, 1U) << "once, though the data set is read twice";
}

TEST_F(Import, ImagesCanBeMadeSmallerAndDeeper) {
  ImportOptions options;
  options.longest_side = 4;
  options.bits = 16;
  run(options);
  const Image image = load_image(root_ / "out/images/7_0.png");
  EXPECT_EQ(image.width(), 4U);
  EXPECT_NEAR(image.at(0, 0), 0.07F, 1e-5F);
}

TEST_F(Import, TypesAreChecked) {
  DatasetType type;
  type.name = "invented";
  type.read = read_invented;
  EXPECT_ERROR(register_dataset_type(type), already_exists, "invented");
  type.name = "second";
  type.attributes = {"split"};
  EXPECT_ERROR(register_dataset_type(type), invalid_argument, "'split'");
  type.attributes = {};
  type.bits = 9;
  EXPECT_ERROR(register_dataset_type(type), invalid_argument, "got 9");
}

TEST(SingleThreadedOpenCv, WhatWasBeforeComesBackAfterTheLast) {
  const int before = opencv_threads();
  {
    const SingleThreadedOpenCv outer;
    { const SingleThreadedOpenCv inner; }
    EXPECT_EQ(opencv_threads(), 1);
  }
  EXPECT_EQ(opencv_threads(), before);
}

}  // namespace
}  // namespace medretrieval::imaging
