#include <gtest/gtest.h>

#include <medretrieval/imaging/import.hpp>

#include "imaging/dataset_support.hpp"
#include "imaging/dicom_fixture.hpp"

namespace medretrieval::imaging {
namespace {

constexpr const char* kBurnedIn = "YES";

/// A file of 2 x 2 pixels with all that must not get out.
struct CaseParts {
  std::string sop = "1.2.3.1";
  std::string series = "1.2.3";
  std::string patient = "HOSPITAL-4711";
  std::string modality = "CT";
  std::string body_part = "CHEST";
  std::string instance = "1";
  std::string burned_in = "NO";
  std::string date = "20240309";
  std::string laterality = "";
  std::string image_laterality = "";
  std::string view = "PA";
  std::string series_date = "";
  std::string patient_vr = "LO";

  ByteVector file() const {
    DicomBytes set;
    set.text(0x00080018, "UI", sop).text(0x00080020, "DA", date);
    set.text(0x00080021, "DA", series_date).text(0x00080050, "SH", "ACCESSION");
    set.text(0x00080060, "CS", modality).text(0x00080080, "LO", "INSTITUTION");
    set.text(0x00081030, "LO", "DESCRIPTION")
        .text(0x00100010, "PN", "DOE^JANE")
        .element(0x00100020, patient_vr, id_bytes());
    set.text(0x00100030, "DA", "19500101").text(0x00104000, "LT", "COMMENT");
    set.text(0x00180015, "CS", body_part)
        .text(0x00185101, "CS", view)
        .text(0x0020000D, "UI", "1.2")
        .text(0x0020000E, "UI", series);
    set.text(0x00200013, "IS", instance).text(0x00200060, "CS", laterality);
    set.text(0x00200062, "CS", image_laterality).us(0x00280002, {1}).text(0x00280004, "CS", "MONOCHROME2");
    set.us(0x00280010, {2}).us(0x00280011, {2}).text(0x00280030, "DS", "0.7\\0.7").us(0x00280100, {16});
    set.us(0x00280101, {16}).us(0x00280102, {15}).us(0x00280103, {0}).text(0x00280301, "CS", burned_in);
    set.element(0x7FE00010, "OW", DicomBytes::words({0, 1, 2, 3}));
    return set.file(kExplicitLittleEndian);
  }
  ByteVector id_bytes() const {
    ByteVector bytes(patient.begin(), patient.end());
    if (bytes.size() % 2 != 0) bytes.push_back(' ');
    return bytes;
  }
};

class DicomTree : public ::testing::Test {
 protected:
  void write(const std::string& path, const CaseParts& parts = {}) {
    std::filesystem::create_directories((folder_ / path).parent_path());
    testing::write_bytes(folder_ / path, parts.file());
  }
  Collector read(const Parameters& options = {}) { return collect("dicom", folder_.path(), options); }

  testing::TemporaryFolder folder_;
};

TEST_F(DicomTree, OnlyWhatIsAllowedIsRead) {
  write("DOE_JANE/a.dcm");
  const DatasetRecord record = read().records.at(0);
  EXPECT_EQ(record.key, "1.2.3.1");
  EXPECT_EQ(record.patient, "HOSPITAL-4711");
  EXPECT_EQ(record.study, "1.2");
  EXPECT_EQ(record.series, "1.2.3");
  EXPECT_EQ(record.modality, "CT");
  EXPECT_EQ(record.date, (Date{2024, 3, 9}));
  EXPECT_EQ(record.labels, (std::vector<std::string>{"CT"}));
  EXPECT_EQ(record.attributes.at("body_part"), "CHEST");
  EXPECT_EQ(record.attributes.at("pixel_spacing_mm"), "0.7");
  for (const auto& [name, value] : record.attributes) {
    for (const char* secret : {"ACCESSION", "INSTITUTION", "DESCRIPTION", "DOE", "1950", "COMMENT"}) {
      EXPECT_EQ(value.find(secret), std::string::npos) << name;
    }
  }
}

TEST_F(DicomTree, NamesInTheFieldsOfTermsAreDropped) {
  CaseParts parts;
  parts.body_part = "MUELLER ANNA";
  parts.view = "DOB 19500101";
  parts.modality = "SMITH JOHN";
  parts.laterality = "MILLER";
  parts.date = "20241399";
  write("a.dcm", parts);
  for (const char* label : {"modality", "body_part"}) {
    const Collector all = read({{"label", std::string(label)}});
    const DatasetRecord record = all.records.at(0);
    EXPECT_EQ(record.modality, "");
    EXPECT_TRUE(record.labels.empty());
    EXPECT_FALSE(record.date.has_value());
    for (const char* name : {"body_part", "view", "laterality"}) EXPECT_EQ(record.attributes.at(name), "");
    EXPECT_EQ(all.noted, (std::map<std::string, std::size_t>{{"impossible_date", 1},
                                                             {"unknown_body_part", 1},
                                                             {"unknown_laterality", 1},
                                                             {"unknown_modality", 1},
                                                             {"unknown_view", 1}}));
    for (const std::string& reason : all.reasons) EXPECT_EQ(reason, (folder_ / "a.dcm").string());
  }
}

TEST_F(DicomTree, NumbersAreExactOrBlank) {
  const auto instance = [&](const std::string& text) {
    CaseParts parts;
    parts.instance = text;
    write("a.dcm", parts);
    const Collector all = read();
    EXPECT_EQ(all.noted.contains("impossible_number"), all.records.at(0).attributes.at("instance").empty());
    return all.records.at(0).attributes.at("instance");
  };
  EXPECT_EQ(instance("1234567"), "1234567");
  EXPECT_EQ(instance("999999999"), "999999999");
  EXPECT_EQ(instance(" +012 "), "12");
  EXPECT_EQ(instance("-3"), "-3");
  EXPECT_EQ(instance("2023123456"), "") << "ten digits";
  EXPECT_EQ(instance("1.5"), "");
  EXPECT_EQ(instance("--1"), "");
  EXPECT_EQ(instance("1\\2"), "");
}

TEST_F(DicomTree, LateralityOfMammography) {
  CaseParts parts;
  parts.modality = "MG";
  parts.image_laterality = "L";
  parts.view = "MLO";
  write("a.dcm", parts);
  const Collector all = read();
  EXPECT_EQ(all.records.at(0).attributes.at("laterality"), "L");
  EXPECT_EQ(all.records.at(0).attributes.at("view"), "MLO");
  EXPECT_TRUE(all.skipped.empty());
}

TEST_F(DicomTree, PatientsStayTheSameHoweverTheirIdIsStored) {
  CaseParts parts;
  parts.patient = "id11111";
  write("a.dcm", parts);
  parts.sop = "1.2.3.2";
  parts.patient_vr = "UN";
  write("b.dcm", parts);
  parts.sop = "1.2.3.3";
  parts.patient_vr = "LO";
  parts.patient = " id11111";
  write("c.dcm", parts);
  parts.patient_vr = "OB";
  parts.sop = "1.2.3.4";
  write("d.dcm", parts);
  const Collector all = read();
  EXPECT_EQ(all.records.size(), 3U);
  for (const DatasetRecord& record : all.records) EXPECT_EQ(record.patient, "id11111");
  EXPECT_EQ(all.skipped, (std::map<std::string, std::size_t>{{"unusable_patient_id", 1}}));
}

TEST_F(DicomTree, DatesOfOldFilesAndDamagedOnes) {
  const auto date = [&](const std::string& study, const std::string& series) {
    CaseParts parts;
    parts.date = study;
    parts.series_date = series;
    write("a.dcm", parts);
    const Collector all = read();
    EXPECT_EQ(all.noted.contains("impossible_date"), !all.records.at(0).date.has_value());
    return all.records.at(0).date;
  };
  EXPECT_EQ(date("1999.12.31", "19970430"), (Date{1999, 12, 31}));
  EXPECT_EQ(date("", "19970430"), (Date{1997, 4, 30}));
  EXPECT_EQ(date("1999.13.31", "19970430"), std::nullopt) << "no other date takes its place";
  EXPECT_EQ(date("yesterday", "19970430"), std::nullopt);
}

TEST_F(DicomTree, AnythingButNoIsABurnedInAnnotation) {
  CaseParts parts;
  for (const char* stated : {"yes", "YES\\NO", "NO\\YES", "Y", "TRUE"}) {
    parts.burned_in = stated;
    write("a.dcm", parts);
    EXPECT_EQ(read().skipped.at("burned_in_annotation"), 1U) << stated;
  }
  for (const char* stated : {"no", "NO", ""}) {
    parts.burned_in = stated;
    write("a.dcm", parts);
    EXPECT_EQ(read().records.size(), 1U) << stated;
  }
}

TEST_F(DicomTree, ASeriesInTwoFoldersIsOne) {
  CaseParts parts;
  for (int i = 1; i <= 8; ++i) {
    parts.instance = std::to_string(i);
    parts.sop = "1.2.3." + parts.instance;
    write((i % 2 == 0 ? "even/" : "odd/") + parts.instance + ".dcm", parts);
  }
  std::vector<std::string> keys;
  for (const auto& record : read({{"per_series", std::int64_t{2}}}).records) keys.push_back(record.key);
  EXPECT_EQ(keys, (std::vector<std::string>{"1.2.3.3", "1.2.3.7"}));
}

TEST_F(DicomTree, FilesWithoutASeriesAreOneEach) {
  CaseParts parts;
  parts.series = "";
  for (int i = 1; i <= 3; ++i) {
    parts.sop = "1.2.3." + std::to_string(i);
    write(std::to_string(i) + ".dcm", parts);
  }
  EXPECT_EQ(read({{"per_series", std::int64_t{1}}}).records.size(), 3U);
}

TEST_F(DicomTree, WhatCannotBeOpenedIsCounted) {
  write("a.dcm");
  std::filesystem::create_symlink(folder_ / "gone", folder_ / "b.dcm");
  const Collector all = read();
  EXPECT_EQ(all.records.size(), 1U);
  EXPECT_EQ(all.skipped, (std::map<std::string, std::size_t>{{"unreadable_file", 1}}));
}

TEST_F(DicomTree, WhatIsLeftOutIsCounted) {
  CaseParts parts;
  write("a/1.dcm");
  parts.burned_in = kBurnedIn;
  write("a/2.dcm", parts);
  parts.burned_in = "NO";
  parts.modality = "SEG";
  write("b/3.dcm", parts);
  write_text(folder_ / "b/readme.txt", "hello");
  write_text(folder_ / "b/empty.dcm", "");
  ByteVector cut = CaseParts().file();
  cut.resize(cut.size() - 4);
  testing::write_bytes(folder_ / "b/cut.dcm", cut);
  testing::write_bytes(folder_ / "b/cut_in_header.dcm", ByteVector(cut.begin(), cut.begin() + 400));
  std::filesystem::create_directory_symlink(folder_.path(), folder_ / "b/loop");
  const Collector all = read();
  EXPECT_EQ(all.records.size(), 1U);
  EXPECT_EQ(
      all.skipped,
      (std::map<std::string, std::size_t>{
          {"burned_in_annotation", 1}, {"not_dicom", 2}, {"segmentation", 1}, {"unreadable_image", 2}}));
  EXPECT_EQ(read({{"burned_in", true}}).records.size(), 2U);
  EXPECT_EQ(read({{"modality", "MR"}}).skipped.at("other_modality"), 2U);
  EXPECT_ERROR(read({{"label", "patient"}}), invalid_argument, "none, modality or body_part");
}

/// Encapsulated pixels say nowhere how long they are.
ByteVector cut_jpeg(const std::string& frames) {
  DicomImageParts parts;
  parts.rows = parts.columns = 16;
  parts.bits_allocated = parts.bits_stored = 8;
  parts.high_bit = 7;
  parts.frames = frames;
  DicomBytes set = parts.data_set();
  set.fragments({testing::make_jpeg(16, 16, 1, ByteVector(256, 77))});
  ByteVector bytes = set.file("1.2.840.10008.1.2.4.50");
  bytes.resize(bytes.size() - 40);
  return bytes;
}

TEST_F(DicomTree, CutPixelsAreFoundWhenTheyAreLoaded) {
  write("a.dcm");
  testing::write_bytes(folder_ / "cut.dcm", cut_jpeg(""));
  EXPECT_EQ(read().records.size(), 2U);
  const testing::TemporaryFolder out;
  ImportOptions options;
  options.keep_identities = true;
  const ImportReport report = import_dataset("dicom", folder_.path(), out / "o", options);
  EXPECT_EQ(report.images, 1U);
  EXPECT_EQ(report.skipped.at("unreadable_image").count, 1U);
}

TEST_F(DicomTree, ClaimedFramesMakeNoRecords) {
  testing::write_bytes(folder_ / "cut.dcm", cut_jpeg("2000000000"));
  const Collector all = read();
  EXPECT_TRUE(all.records.empty());
  EXPECT_EQ(all.skipped.at("unreadable_image"), 1U);
}

TEST_F(DicomTree, ThreadsMakeNoDifference) {
  CaseParts parts;
  for (int i = 0; i < 40; ++i) {
    parts.sop = "1.2.3." + std::to_string(i);
    parts.series = "1.2." + std::to_string(i % 7);
    write("s/" + std::to_string(i) + ".dcm", parts);
    write_text(folder_ / ("s/" + std::to_string(i) + ".txt"), "words");
  }
  const testing::TemporaryFolder out;
  ImportOptions options;
  options.keep_identities = true;
  for (const int threads : {1, 4}) {
    options.threads = threads;
    const auto report = import_dataset("dicom", folder_.path(), out / std::to_string(threads), options);
    EXPECT_EQ(report.images, 40U);
    EXPECT_EQ(report.skipped.at("not_dicom").examples[0], (folder_ / "s/0.txt").string());
  }
  EXPECT_EQ(read_text(out / "1/manifest.csv"), read_text(out / "4/manifest.csv"));
}

TEST_F(DicomTree, AnIdThatCannotBeIsLeftOut) {
  CaseParts parts;
  const std::string umlauts = "\xC3\xA4\xC3\xB6";  // without a stated character set
  for (const std::string& id : {std::string(65, 'x'), std::string("a\0b", 3), std::string("line\nbreak"),
                                std::string("a\\b"), std::string("a\x7F"), umlauts}) {
    parts.patient = id;
    write("a.dcm", parts);
    EXPECT_EQ(read().skipped, (std::map<std::string, std::size_t>{{"unusable_patient_id", 1}})) << id;
  }
  parts.patient = std::string(64, 'x');
  write("a.dcm", parts);
  EXPECT_EQ(read().records.size(), 1U);
}

TEST_F(DicomTree, SomeOfEverySeriesEvenlySpread) {
  CaseParts parts;
  for (int i = 1; i <= 9; ++i) {
    parts.instance = std::to_string(i);
    parts.sop = "1.2.3." + parts.instance;
    write("s/" + std::to_string(10 - i) + ".dcm", parts);
  }
  parts.series = "1.2.4";
  parts.sop = "1.2.4.1";
  write("s/other.dcm", parts);
  std::vector<std::string> keys;
  for (const auto& record : read({{"per_series", std::int64_t{3}}}).records) keys.push_back(record.key);
  EXPECT_EQ(keys, (std::vector<std::string>{"1.2.3.2", "1.2.3.5", "1.2.3.8", "1.2.4.1"}));
}

TEST_F(DicomTree, EveryFrameOfTheSampleFiles) {
  REQUIRE_DATA("dicom/nema_multiframe");
  const Collector all = collect("dicom", testing::data_folder() / "dicom");
  std::size_t frames = 0;
  for (const auto& record : all.records) {
    if (!record.attributes.contains("frame")) continue;
    if (++frames > 20) continue;
    EXPECT_NO_THROW(record.load()) << record.source.file;
  }
  EXPECT_GT(all.records.size(), 100U);
  EXPECT_GT(frames, 10U);
  std::cout << all.records.size() << " images, " << frames << " of them frames; left out:";
  for (const auto& [kind, count] : all.skipped) std::cout << ' ' << kind << ' ' << count;
  std::cout << '\n';
}

}  // namespace
}  // namespace medretrieval::imaging
