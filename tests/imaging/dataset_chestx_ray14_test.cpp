#include <gtest/gtest.h>

#include <algorithm>
#include <medretrieval/imaging/import.hpp>

#include "imaging/dataset_support.hpp"

namespace medretrieval::imaging {
namespace {

constexpr const char* kHeader2020 =
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]\n";
constexpr const char* kHeader2017 =
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],\n";
constexpr const char* kRow = "00000001_000.png,Cardiomegaly|Mass,0,1,57,M,PA,2682,2749,0.143,0.143\n";

class ChestXray14 : public ::testing::Test {
 protected:
  Collector read(const std::string& rows, const std::string& header = kHeader2020) {
    write_text(folder_ / "Data_Entry_2017_v2020.csv", header + rows);
    return collect("chestx-ray14", folder_.path());
  }
  void write_boxes(const std::string& rows) {
    write_text(folder_ / "BBox_List_2017.csv", "Image Index,Finding Label,Bbox [x,y,w,h],,,\n" + rows);
  }

  testing::TemporaryFolder folder_;
};

TEST_F(ChestXray14, AllThatTheTablesSay) {
  write_small_png(folder_ / "images_003/images/00000001_000.png");
  write_boxes("00000001_000.png,Mass,1.5,2,30,40\n00000001_000.png,Infiltrate,5,6,7,8,,,\n");
  write_text(folder_ / "train_val_list.txt", "00000001_000.png\r\n");
  write_text(folder_ / "test_list.txt", "00000002_000.png\n");
  const Collector all =
      read(std::string(kRow) + "00000002_000.png,No Finding,0,2,81,F,AP,2048,2500,0.1,0.2\n");
  ASSERT_EQ(all.records.size(), 2U);
  EXPECT_EQ(all.expected, 2U);
  const DatasetRecord& record = all.records[0];
  EXPECT_EQ(record.key, "00000001_000");
  EXPECT_EQ(record.source.file, folder_ / "images_003/images/00000001_000.png");
  EXPECT_EQ(record.patient, "00000001");
  EXPECT_EQ(record.study, "00000001-000");
  EXPECT_EQ(record.labels, (std::vector<std::string>{"Cardiomegaly", "Mass"}));
  EXPECT_EQ(record.official, OfficialSplit::train);
  EXPECT_EQ(record.attributes.at("age"), "57");
  EXPECT_EQ(record.attributes.at("sex"), "M");
  EXPECT_EQ(record.attributes.at("view"), "PA");
  EXPECT_EQ(record.attributes.at("boxes"), "1.5 2 30 40|5 6 7 8");
  EXPECT_EQ(record.attributes.at("box_findings"), "Mass|Infiltration");
  EXPECT_EQ(all.records[1].official, OfficialSplit::test);
}

TEST_F(ChestXray14, TheFirstEditionHasABlankColumnAndAgesWithUnits) {
  const auto age = [&](const std::string& text) {
    const Collector all =
        read("00000001_000.png,Mass,0,1," + text + ",M,PA,2682,2749,0.143,0.143,\n", kHeader2017);
    return all.records.at(0).attributes.at("age");
  };
  EXPECT_EQ(age("058Y"), "58");
  EXPECT_EQ(age("006M"), "0.5");
  EXPECT_EQ(age("58"), "58");
  EXPECT_EQ(age("414"), "") << "the first edition has ages that nobody reaches";
  const Collector all = read("00000001_000.png,Mass,0,1,414,M,PA,2682,2749,0.143,0.143\n");
  EXPECT_EQ(all.noted.at("impossible_age"), 1U);
  EXPECT_TRUE(all.skipped.empty()) << "the image is not left out";
  EXPECT_ERROR(age("old"), corrupt, "\"Patient Age\", got \"old\"");
}

TEST_F(ChestXray14, RowsAreCountedWhateverTheirLineEnds) {
  EXPECT_EQ(read("").expected, 0U);
  EXPECT_EQ(read(std::string(kRow)).expected, 1U);
  std::string text = kHeader2020 + std::string(kRow);
  std::replace(text.begin(), text.end(), '\n', '\r');
  EXPECT_EQ(read("", text).expected, 1U);
  text.pop_back();
  EXPECT_EQ(read("", text).expected, 1U);
  text = kHeader2020;
  text.pop_back();
  EXPECT_EQ(read("", text).expected, 0U);
}

TEST_F(ChestXray14, TheOfficialSplitNeedsItsLists) {
  write_small_png(folder_ / "root/images/00000001_000.png");
  write_text(folder_ / "root/Data_Entry_2017.csv", kHeader2020 + std::string(kRow));
  ImportOptions options;
  options.split = SplitRule::official;
  const auto run = [&] { return import_dataset("chestx-ray14", folder_ / "root", folder_ / "out", options); };
  EXPECT_ERROR(run(), not_found, "needs train_val_list.txt, test_list.txt, not found in");
  write_text(folder_ / "root/train_val_list.txt", "00000001_000.png\n");
  EXPECT_ERROR(run(), not_found, "needs test_list.txt, not found in");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "out"));
  write_text(folder_ / "root/test_list.txt", "00000002_000.png\n");
  EXPECT_EQ(run().images, 1U);
}

TEST_F(ChestXray14, HostileTablesAreRefused) {
  const std::string row = kRow;
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string text = row;
    return read(text.replace(text.find(from), from.size(), to));
  };
  EXPECT_ERROR(changed("00000001_000.png", "../00000001_000.png"), corrupt, "the name of a file");
  EXPECT_ERROR(changed("00000001_000.png", "/etc/passwd"), corrupt, "the name of a file");
  EXPECT_ERROR(changed("00000001_000.png", "00000002_000.png"), corrupt, "\"Patient ID\", got \"1\"");
  EXPECT_ERROR(changed("Cardiomegaly|Mass", "57"), corrupt, "findings of ChestX-ray14 in column");
  EXPECT_ERROR(changed("Cardiomegaly|Mass", ""), corrupt, "line 2");
  EXPECT_ERROR(changed("2682", "0"), corrupt, "whole number from 1");
  EXPECT_ERROR(changed("0.143", "nan"), corrupt, "got \"nan\"");
  EXPECT_ERROR(changed("0.143", "0"), corrupt, "got \"0\"");
  EXPECT_ERROR(changed(",M,", ",57,"), corrupt, "M or F");
  EXPECT_ERROR(changed(",1,57", ",1"), corrupt, "fields");
  EXPECT_ERROR(read(row, "Image Index,Finding Labels\n"), not_found, "no column \"Follow-up #\"");
  write_text(folder_ / "train_val_list.txt", "00000001_000.png\n");
  write_text(folder_ / "test_list.txt", "00000001_000.png\n");
  EXPECT_ERROR(read(row), corrupt, "in both lists");
  write_text(folder_ / "test_list.txt", "a,b\n");
  EXPECT_ERROR(read(row), corrupt, "test_list.txt: line 1");
}

TEST_F(ChestXray14, BoxesOutsideTheImageAreRefused) {
  for (const char* box : {"1000,5,100,5", "5,1000,5,100", "-1,5,5,5", "5,5,0,5", "5,5,5,nan"}) {
    write_boxes(std::string("00000001_000.png,Mass,") + box + "\n");
    EXPECT_ERROR(read(kRow), corrupt, "BBox_List_2017.csv line 2");
  }
  write_boxes("00000001_000.png,Tumour,1,2,3,4\n");
  EXPECT_ERROR(read(kRow), corrupt, "Tumour");
}

TEST_F(ChestXray14, TheWholePublishedTable) {
  REQUIRE_DATA("tables/chestxray14");
  const auto tables = testing::data_folder() / "tables/chestxray14";
  write_text(folder_ / "Data_Entry_2017_v2020.csv", gunzip(tables / "Data_Entry_2017_v2020.csv.gz"));
  write_text(folder_ / "BBox_List_2017.csv", gunzip(tables / "BBox_List_2017.csv.gz"));
  const Collector all = collect("chestx-ray14", folder_.path());
  EXPECT_EQ(all.records.size(), 112'120U);
  EXPECT_EQ(all.patients(), 30'805U);
  EXPECT_TRUE(all.skipped.empty());
  std::map<std::string, int> labels;
  std::ptrdiff_t boxes = 0;
  std::size_t images_with_boxes = 0;
  for (const DatasetRecord& record : all.records) {
    for (const auto& label : record.labels) ++labels[label];
    const auto box = record.attributes.find("boxes");
    if (box == record.attributes.end()) continue;
    ++images_with_boxes;
    boxes += 1 + std::count(box->second.begin(), box->second.end(), '|');
  }
  const std::map<std::string, int> published = {
      {"No Finding", 60361},  {"Infiltration", 19894}, {"Effusion", 13317},
      {"Atelectasis", 11559}, {"Nodule", 6331},        {"Mass", 5782},
      {"Pneumothorax", 5302}, {"Consolidation", 4667}, {"Cardiomegaly", 2776},
      {"Emphysema", 2516},    {"Edema", 2303},         {"Fibrosis", 1686},
      {"Pneumonia", 1431},    {"Hernia", 227},         {"Pleural_Thickening", 3385}};
  EXPECT_EQ(labels, published);
  EXPECT_EQ(boxes, 984);
  EXPECT_EQ(images_with_boxes, 880U);
  std::cout << all.records.size() << " images of " << all.patients() << " patients, " << boxes << " boxes on "
            << images_with_boxes << " images\n";
}

}  // namespace
}  // namespace medretrieval::imaging
