#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <medretrieval/imaging/dataset.hpp>
#include <medretrieval/imaging/dicom.hpp>
#include <medretrieval/imaging/import.hpp>
#include <medretrieval/imaging/manifest.hpp>
#include <medretrieval/imaging/nodule_region.hpp>
#include <set>
#include <string>
#include <vector>

#include "support/csv_table.hpp"
#include "support/expect_error.hpp"
#include "support/lidc_xml.hpp"
#include "support/test_data.hpp"

namespace medretrieval::imaging {
namespace {

using namespace testing;  // NOLINT: the pieces of annotation files

/// Keeps what a reader gives.
class KeepingSink : public RecordSink {
 public:
  void expect(std::size_t count) override { expected = count; }
  void add(DatasetRecord record) override { records.push_back(std::move(record)); }
  void skip(std::string_view kind, const std::string& what) override {
    skipped[std::string(kind)].push_back(what);
  }
  void note(std::string_view kind, const std::string& what) override { skip(kind, what); }

  std::map<std::string, std::size_t> counts() const {
    std::map<std::string, std::size_t> counts;
    for (const auto& [kind, places] : skipped) counts[kind] = places.size();
    return counts;
  }
  std::vector<DatasetRecord> records;
  std::size_t expected = 0;
  std::map<std::string, std::vector<std::string>> skipped;
};

KeepingSink read(const std::filesystem::path& root, const Parameters& options = {}) {
  KeepingSink sink;
  read_dataset("lidc-idri", root, options, sink);
  return sink;
}

constexpr std::size_t kSide = 64;

std::string sop_uid(int slice) {
  return "1.2.3.9." + std::to_string(slice);
}

/// A slice of air with a disc of tissue.
void write_slice(const std::filesystem::path& file, int slice, std::map<std::string, std::string> tags = {}) {
  tags.insert({{"Modality", "CT"},
               {"SOPClassUID", "1.2.840.10008.5.1.4.1.1.2"},
               {"PatientID", "LIDC-IDRI-9001"},
               {"StudyInstanceUID", "1.2"},
               {"StudyDate", "20000101"},
               {"SeriesInstanceUID", "1.2.3"},
               {"SOPInstanceUID", sop_uid(slice)},
               {"ImagePositionPatient", "0\\0\\" + std::to_string(-2.5 * slice)},
               {"PixelSpacing", "0.5\\0.5"},
               {"RescaleIntercept", "0"},
               {"RescaleSlope", "1"}});
  std::vector<std::int16_t> samples(kSide * kSide, -900);
  for (std::size_t y = 20; y < 30; ++y) {
    for (std::size_t x = 20; x < 30; ++x) samples[y * kSide + x] = static_cast<std::int16_t>(slice);
  }
  write_dicom(file, samples, kSide, kSide, {std::move(tags)});
}

class LidcIdri : public ::testing::Test {
 protected:
  LidcIdri() {
    std::filesystem::create_directories(series_);
    for (int slice = 1; slice <= 5; ++slice)
      write_slice(series_ / ("1-" + std::to_string(slice) + ".dcm"), slice);
  }
  void annotate(const std::string& readings, const std::string& name = "069.xml") {
    write_text(series_ / name, xml_message(readings));
  }
  static std::string nodule(int malignancy, const std::vector<int>& slices, int corner = 19, int side = 11) {
    std::string rois;
    for (const int slice : slices) {
      rois += xml_roi(sop_uid(slice), std::to_string(-2.5 * slice),
                      xml_square(corner, corner, side + (slice == 3)));
    }
    return xml_nodule("1", xml_ratings(malignancy) + rois);
  }

  TemporaryFolder folder_;
  std::filesystem::path series_ = folder_.path() / "LIDC-IDRI-9001" / "study" / "series";
};

TEST_F(LidcIdri, OneImageForEachOutlinedSliceOfEachNodule) {
  annotate(xml_reading(nodule(2, {2, 3})) + xml_reading(nodule(1, {3, 4})) +
           xml_reading(nodule(5, {1}, 40, 8)));
  const KeepingSink sink = read(folder_.path());
  EXPECT_TRUE(sink.skipped.empty());
  ASSERT_EQ(sink.records.size(), 4U);
  EXPECT_EQ(sink.expected, 5U) << "one outline each";
  const DatasetRecord& record = sink.records[1];  // by z, so slice 3 of 4, 3, 2
  EXPECT_EQ(record.key, "1.2.3-nodule01-1.2.3.9.3");
  EXPECT_EQ(record.patient, "LIDC-IDRI-9001");
  EXPECT_EQ(record.study, "1.2");
  EXPECT_EQ(record.series, "1.2.3");
  EXPECT_EQ(record.modality, "CT");
  EXPECT_EQ(record.date, (Date{2000, 1, 1}));
  EXPECT_EQ(record.labels, std::vector<std::string>{"benign"});
  EXPECT_EQ(record.attributes.at("malignancy"), "1.5");
  EXPECT_EQ(record.attributes.at("readers"), "2");
  EXPECT_EQ(record.attributes.at("subtlety"), "4");
  EXPECT_EQ(record.attributes.at("z_mm"), "-7.5");
  EXPECT_EQ(record.attributes.at("outline_box_mm"), "6.5");
  EXPECT_EQ(sink.records[3].labels, std::vector<std::string>{"malignant"});
  std::set<std::string> keys;
  for (const DatasetRecord& one : sink.records) {
    keys.insert(one.key);
    const Image image = one.load();
    EXPECT_EQ(image.width(), 32U);
    EXPECT_EQ(image.unit(), PixelUnit::display);
  }
  EXPECT_EQ(keys.size(), 4U);
}

TEST_F(LidcIdri, SlicesAreChosen) {
  annotate(xml_reading(nodule(2, {2, 3, 5})));
  const auto z_of = [&](const char* slices) {
    std::vector<std::string> z;
    for (const DatasetRecord& record : read(folder_.path(), {{"slices", std::string(slices)}}).records) {
      z.push_back(record.attributes.at("z_mm"));
    }
    return z;
  };
  EXPECT_EQ(z_of("all"), (std::vector<std::string>{"-12.5", "-7.5", "-5"}));
  EXPECT_EQ(z_of("middle"), std::vector<std::string>{"-7.5"});
  EXPECT_EQ(z_of("three"), (std::vector<std::string>{"-10", "-7.5", "-5"}));
  EXPECT_ERROR(z_of("some"), invalid_argument, "slices must be one of all, three, middle; got 'some'");
}

TEST_F(LidcIdri, UndecidedNodulesAreDroppedOnRequest) {
  annotate(xml_reading(nodule(2, {2})) + xml_reading(nodule(4, {2})));
  EXPECT_EQ(read(folder_.path()).records.at(0).labels, std::vector<std::string>{"undecided"});
  const KeepingSink dropped = read(folder_.path(), {{"drop_undecided", true}});
  EXPECT_TRUE(dropped.records.empty());
  EXPECT_EQ(dropped.counts(), (std::map<std::string, std::size_t>{{"undecided_nodule", 1}}));
}

TEST_F(LidcIdri, FormsOfTheImage) {
  annotate(xml_reading(nodule(2, {3})));
  const auto image = [&](const char* form, std::int64_t side) {
    return read(folder_.path(), {{"image", std::string(form)}, {"side", side}}).records.at(0).load();
  };
  EXPECT_EQ(image("region", 0).width(), 32U);
  EXPECT_EQ(image("region", 48).width(), 48U);
  const Image square = image("square", 0);
  EXPECT_EQ(square.width(), 32U);
  EXPECT_FLOAT_EQ(square.at(16, 16), (3 + 1200) / 1800.0F);
  EXPECT_FLOAT_EQ(square.at(0, 0), (-900 + 1200) / 1800.0F);
  EXPECT_EQ(image("lungs", 0).width(), kSide);
  EXPECT_EQ(image("lungs", 16).width(), 16U);
  EXPECT_ERROR(image("volume", 0), invalid_argument, "image must be one of region, square, lungs");
  EXPECT_ERROR(image("region", 3), invalid_argument, "side is 3");
}

TEST_F(LidcIdri, StepsAreExplained) {
  annotate(xml_reading(nodule(2, {2, 3})));
  const std::filesystem::path sheets = folder_ / "sheets";
  for (const DatasetRecord& record : read(series_, {{"explain", sheets.string()}}).records) record.load();
  EXPECT_TRUE(std::filesystem::exists(sheets / "000001.png"));
  EXPECT_TRUE(std::filesystem::exists(sheets / "000002.png"));
}

TEST_F(LidcIdri, WhatIsLeftOutIsCounted) {
  annotate(xml_reading(nodule(2, {3, 8}) + nodule(5, {9}, 40, 8) + nodule(5, {1}, 60, 8) +
                       xml_nodule("p", xml_roi(sop_uid(1), "-2.5", {{5, 5}})) +
                       xml_non_nodule("n", sop_uid(2), 7, 7)));
  annotate(xml_reading(""), "070.xml");
  write_text(series_ / "071.xml", "<LidcReadMessage>");
  write_text(
      series_ / "072.xml",
      "<IdriReadMessage><ResponseHeader><CTSeriesInstanceUid>1.2.3</CTSeriesInstanceUid></ResponseHeader>"
      "</IdriReadMessage>");
  write_text(series_ / "LICENSE", "words");
  write_slice(series_ / "2-1.dcm", 21, {{"Modality", "DX"}});
  write_slice(series_ / "2-2.dcm", 22, {{"PixelSpacing", "0\\0"}});
  write_slice(series_ / "2-3.dcm", 23, {{"PatientID", "LIDC-IDRI-9002"}});
  write_slice(series_ / "2-4.dcm", 24, {{"SeriesInstanceUID", "1.2.4"}});
  const KeepingSink sink = read(folder_.path());
  EXPECT_EQ(sink.records.size(), 1U);
  EXPECT_EQ(sink.counts(), (std::map<std::string, std::size_t>{{"nodule_below_3_mm", 1},
                                                               {"non_nodule", 1},
                                                               {"not_ct", 1},
                                                               {"other_frame", 1},
                                                               {"outline_outside_of_slice", 1},
                                                               {"outlines_without_slice", 2},
                                                               {"reading_of_radiograph", 1},
                                                               {"second_annotation", 1},
                                                               {"series_without_annotation", 1},
                                                               {"unreadable_annotation", 1},
                                                               {"unreadable_image", 1}}));
  EXPECT_THAT(sink.skipped.at("outline_outside_of_slice")[0],
              ::testing::HasSubstr("069.xml, nodule 3: line "));
  EXPECT_THAT(sink.skipped.at("unreadable_image")[0],
              ::testing::HasSubstr("2-2.dcm: PixelSpacing is not two numbers above 0"));
}

TEST_F(LidcIdri, CutSlicesAreLeftOut) {
  annotate(xml_reading(nodule(2, {2, 3})));
  std::filesystem::resize_file(series_ / "1-2.dcm", std::filesystem::file_size(series_ / "1-2.dcm") - 2);
  const KeepingSink sink = read(folder_.path());
  EXPECT_EQ(sink.records.size(), 1U);
  EXPECT_EQ(sink.counts(),
            (std::map<std::string, std::size_t>{{"outlines_without_slice", 1}, {"unreadable_image", 1}}));
  EXPECT_THAT(sink.skipped.at("unreadable_image")[0], ::testing::HasSubstr("1-2.dcm: a value of 8192 bytes"));
}

TEST_F(LidcIdri, SlicesOfAnotherOrientationAreNoNeighbours) {
  annotate(xml_reading(nodule(2, {3})));
  // Between slices 2 and 3, seen from the side; and turned by some degrees.
  write_slice(series_ / "0-1.dcm", 91,
              {{"ImagePositionPatient", "0\\0\\-6"}, {"ImageOrientationPatient", "0\\1\\0\\0\\0\\-1"}});
  write_slice(series_ / "0-2.dcm", 92,
              {{"ImagePositionPatient", "0\\0\\-7"}, {"ImageOrientationPatient", "1\\0\\0\\0\\0.99\\0.141"}});
  const KeepingSink sink = read(folder_.path(), {{"slices", std::string("three")}});
  std::vector<std::string> z;
  for (const DatasetRecord& record : sink.records) z.push_back(record.attributes.at("z_mm"));
  EXPECT_EQ(z, (std::vector<std::string>{"-10", "-7.5", "-5"}));
  EXPECT_EQ(sink.counts(), (std::map<std::string, std::size_t>{{"other_orientation", 2}}));
}

TEST_F(LidcIdri, TheLargestGroupOfSlicesIsTheSeries) {
  annotate(xml_reading(nodule(2, {2, 3})));
  write_slice(series_ / "0-0.dcm", 90, {{"PixelSpacing", "1\\1"}});
  const KeepingSink sink = read(folder_.path());
  EXPECT_EQ(sink.records.size(), 2U);
  EXPECT_EQ(sink.counts(), (std::map<std::string, std::size_t>{{"other_frame", 1}}));
  EXPECT_THAT(sink.skipped.at("other_frame")[0], ::testing::HasSubstr("0-0.dcm"));
}

TEST_F(LidcIdri, CopiesOfSlicesAreNoNeighbours) {
  annotate(xml_reading(nodule(2, {3})));
  std::filesystem::create_directories(folder_ / "copies");
  for (int slice = 1; slice <= 5; ++slice) {
    std::filesystem::copy_file(series_ / ("1-" + std::to_string(slice) + ".dcm"),
                               folder_ / ("copies/" + std::to_string(slice) + ".dcm"));
  }
  const KeepingSink sink = read(folder_.path(), {{"slices", std::string("three")}});
  EXPECT_EQ(sink.records.size(), 3U);
  EXPECT_EQ(sink.counts(), (std::map<std::string, std::size_t>{{"same_image_twice", 5}}));
}

TEST_F(LidcIdri, ASeriesInTwoFoldersIsOne) {
  annotate(xml_reading(nodule(2, {3})));
  std::filesystem::create_directories(folder_ / "elsewhere");
  for (const char* name : {"1-2.dcm", "1-3.dcm"}) {
    std::filesystem::rename(series_ / name, folder_ / "elsewhere" / name);
  }
  const KeepingSink sink = read(folder_.path(), {{"slices", std::string("three")}});
  EXPECT_EQ(sink.records.size(), 3U);
  for (const DatasetRecord& record : sink.records) EXPECT_NO_THROW(record.load()) << record.source.file;
  EXPECT_TRUE(sink.skipped.empty());
}

TEST_F(LidcIdri, PixelsMustBeSquare) {
  annotate(xml_reading(nodule(2, {3})));
  write_slice(series_ / "1-3.dcm", 3, {{"PixelSpacing", "0.5\\1.0"}});
  EXPECT_EQ(read(folder_.path()).counts(),
            (std::map<std::string, std::size_t>{{"outlines_without_slice", 1}, {"unsupported_image", 1}}));
  write_slice(series_ / "1-3.dcm", 3, {{"PixelSpacing", "0.5"}});
  EXPECT_EQ(read(folder_.path()).counts().at("unreadable_image"), 1U);
}

TEST_F(LidcIdri, OnlyThePublishedPatientsAreTaken) {
  annotate(xml_reading(nodule(2, {1, 2, 3, 4, 5})));
  const char* const others[] = {"Mueller^Anna", "4711", "LIDC-IDRI-00012", "LIDC-IDRI-A001",
                                "SYNTHETIC-LIDC-"};
  for (int slice = 1; slice <= 5; ++slice) {
    write_slice(series_ / ("1-" + std::to_string(slice) + ".dcm"), slice,
                {{"PatientID", others[slice - 1]}, {"SOPInstanceUID", sop_uid(slice)}});
  }
  const KeepingSink sink = read(folder_.path());
  EXPECT_TRUE(sink.records.empty());
  EXPECT_EQ(sink.counts(), (std::map<std::string, std::size_t>{{"other_patient_id", 5}}));
  for (const std::string& place : sink.skipped.at("other_patient_id")) {
    EXPECT_THAT(place, ::testing::Not(::testing::HasSubstr("Mueller")));
  }
}

TEST_F(LidcIdri, WhatCannotBeOpenedIsCounted) {
  annotate(xml_reading(nodule(2, {3})));
  std::filesystem::create_symlink(series_ / "gone", series_ / "9.dcm");
  EXPECT_EQ(read(folder_.path()).counts(), (std::map<std::string, std::size_t>{{"unreadable_file", 1}}));
}

TEST_F(LidcIdri, AWholeSliceIsOneImageWithTheLabelsOfItsNodules) {
  annotate(xml_reading(nodule(2, {3}) + nodule(5, {3, 4}, 40, 8)));
  const KeepingSink sink = read(folder_.path(), {{"image", std::string("lungs")}});
  ASSERT_EQ(sink.records.size(), 2U);
  const DatasetRecord& alone = sink.records[0];  // slice 4
  EXPECT_EQ(alone.key, "1.2.3-1.2.3.9.4");
  EXPECT_EQ(alone.labels, std::vector<std::string>{"malignant"});
  EXPECT_EQ(alone.attributes.at("malignancy"), "5");
  const DatasetRecord& both = sink.records[1];
  EXPECT_EQ(both.labels, (std::vector<std::string>{"benign", "malignant"}));
  EXPECT_EQ(both.attributes.at("nodule"), "1 2");
  EXPECT_EQ(both.attributes.at("malignancy"), "");
  EXPECT_EQ(both.attributes.at("subtlety"), "4");
  EXPECT_EQ(both.load().width(), kSide);
  EXPECT_EQ(read(folder_.path()).records.size(), 3U) << "regions are of their nodules";
}

TEST_F(LidcIdri, TheMiddleIsTheLargestAreaNotTheLargestBox) {
  // A thin band across a box of 20 x 20, and a square of 11 x 11.
  const XmlPoints band = {{10, 10}, {30, 28}, {30, 30}, {10, 12}, {10, 10}};
  annotate(xml_reading(xml_nodule("1", xml_ratings(2) + xml_roi(sop_uid(2), "-5", band) +
                                           xml_roi(sop_uid(3), "-7.5", xml_square(15, 15, 11)))));
  const KeepingSink sink = read(folder_.path(), {{"slices", std::string("middle")}});
  ASSERT_EQ(sink.records.size(), 1U);
  EXPECT_EQ(sink.records[0].attributes.at("z_mm"), "-7.5");
}

TEST_F(LidcIdri, AFolderWithoutAnnotationsIsRefused) {
  EXPECT_ERROR(read(folder_.path()), not_found, "no annotation file of a CT series");
}

TEST_F(LidcIdri, SlicesMeetOutlinesByPositionToo) {
  annotate(xml_reading(xml_nodule("1", xml_ratings(5) + xml_roi("1.99", "-7.5", xml_square(19, 19, 11)))));
  const KeepingSink sink = read(folder_.path());
  ASSERT_EQ(sink.records.size(), 1U);
  EXPECT_EQ(sink.records[0].key, "1.2.3-nodule01-1.2.3.9.3");
}

TEST_F(LidcIdri, ImportedPatientsAreInOneSplitAndAnInterruptedImportGoesOn) {
  annotate(xml_reading(nodule(2, {2, 3})));
  ImportOptions options;
  options.parameters = {{"slices", std::string("three")}};
  const ImportReport report =
      import_dataset("lidc-idri", folder_.path() / "LIDC-IDRI-9001", folder_ / "out", options);
  EXPECT_EQ(report.images, 3U);
  EXPECT_EQ(report.patients, 1U);
  std::size_t used_splits = 0;
  for (const auto& [split, count] : report.splits) used_splits += count.images > 0 ? 1 : 0;
  EXPECT_EQ(used_splits, 1U);
  const Manifest manifest = read_manifest(folder_ / "out", folder_ / "out/manifest.csv");
  ASSERT_EQ(manifest.rows.size(), 3U);
  const ByteVector first = read_bytes(manifest.rows[0].file);
  std::filesystem::remove(manifest.rows[0].file);
  const ImportReport again =
      import_dataset("lidc-idri", folder_.path() / "LIDC-IDRI-9001", folder_ / "out", options);
  EXPECT_EQ(again.written, 1U);
  EXPECT_EQ(read_bytes(manifest.rows[0].file), first);
}

TEST(LidcOracle, TheExcerptAsADataSet) {
  REQUIRE_DATA("ct_lidc/rois32.csv");
  const auto folder = data_folder() / "ct_lidc";
  const KeepingSink sink =
      read(folder, {{"image", std::string("square")}, {"window_center", -300.0}, {"window_width", 1400.0}});
  EXPECT_EQ(sink.records.size(), 21U);
  std::map<std::string, std::set<std::string>> labels;
  for (const DatasetRecord& record : sink.records) {
    labels[record.patient].insert(record.labels.at(0) + " " + record.attributes.at("malignancy") + " " +
                                  record.attributes.at("readers"));
  }
  EXPECT_EQ(labels, (std::map<std::string, std::set<std::string>>{{"LIDC-IDRI-0001", {"malignant 5 4"}},
                                                                  {"LIDC-IDRI-0002", {"malignant 4.5 2"}}}));
  const auto counts = sink.counts();
  EXPECT_EQ(counts.at("reading_of_radiograph"), 11U);
  EXPECT_EQ(counts.at("not_ct"), 1U) << "the segmentation";
  EXPECT_EQ(counts.at("outlines_without_slice"), 1U);
  EXPECT_THAT(sink.skipped.at("outlines_without_slice")[0], ::testing::HasSubstr(": 27 outlines"));
}

}  // namespace
}  // namespace medretrieval::imaging
