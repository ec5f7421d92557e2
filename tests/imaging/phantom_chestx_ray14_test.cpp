#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <medretrieval/imaging/phantom_dataset.hpp>
#include <set>
#include <sstream>

#include "imaging/dataset_support.hpp"

namespace medretrieval::imaging {
namespace {

constexpr double kPublishedSide = 1024;
constexpr std::size_t kSide = 256;

/// In pixels of the image.
struct Box {
  std::string finding;
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;
};

std::vector<Box> boxes_of(const DatasetRecord& record) {
  std::vector<Box> boxes;
  if (!record.attributes.contains("boxes")) return boxes;
  const double scale = static_cast<double>(kSide) / kPublishedSide;
  std::istringstream findings(record.attributes.at("box_findings"));
  std::istringstream corners(record.attributes.at("boxes"));
  for (Box box; std::getline(findings, box.finding, '|'); boxes.push_back(box)) {
    std::string text;
    std::getline(corners, text, '|');
    std::istringstream numbers(text);
    for (double* number : {&box.x, &box.y, &box.width, &box.height}) {
      numbers >> *number;
      *number *= scale;
    }
  }
  return boxes;
}

/// Mean of the middle of a box less the mean of a frame around it; NaN where either lies outside.
double inside_minus_frame(const Image& image, const Box& box) {
  double inside = 0;
  double inside_count = 0;
  double frame = 0;
  double frame_count = 0;
  for (std::size_t row = 0; row < image.height(); ++row) {
    for (std::size_t column = 0; column < image.width(); ++column) {
      const double x = (static_cast<double>(column) + 0.5 - box.x) / box.width * 2 - 1;
      const double y = (static_cast<double>(row) + 0.5 - box.y) / box.height * 2 - 1;
      const double out = std::max(std::fabs(x), std::fabs(y));
      if (out < 0.5) {
        inside += image.at(column, row);
        ++inside_count;
      } else if (out >= 1 && out < 1.3) {
        frame += image.at(column, row);
        ++frame_count;
      }
    }
  }
  return inside / inside_count - frame / frame_count;
}

class PhantomChestXRay14 : public ::testing::Test {
 protected:
  void SetUp() override {
    options_.patients = 80;
    options_.side = kSide;
    counts_ = write_phantom_dataset("chestx-ray14", folder_ / "data", options_);
    all_ = collect("chestx-ray14", folder_ / "data");
  }

  testing::TemporaryFolder folder_;
  PhantomDatasetOptions options_;
  PhantomDatasetCounts counts_;
  Collector all_;
};

TEST_F(PhantomChestXRay14, EveryImageIsInTheTableAndInAList) {
  EXPECT_EQ(all_.records.size(), counts_.images);
  EXPECT_EQ(all_.expected, counts_.images);
  EXPECT_EQ(all_.patients(), 80U);
  EXPECT_TRUE(all_.skipped.empty());
  std::set<std::string> folders;
  std::set<std::string> labels;
  for (const DatasetRecord& record : all_.records) {
    const bool is_test = std::stoi(record.patient) % 5 == 0;
    EXPECT_EQ(record.official, is_test ? OfficialSplit::test : OfficialSplit::train) << record.key;
    folders.insert(record.source.file.parent_path().parent_path().filename().string());
    labels.insert(record.labels.begin(), record.labels.end());
    EXPECT_EQ(load_source(record.source).width(), kSide);
  }
  EXPECT_EQ(folders.size(), 12U) << "images_001 to images_012";
  EXPECT_GE(labels.size(), 6U);
  EXPECT_TRUE(labels.contains("No Finding"));
}

TEST_F(PhantomChestXRay14, EveryNoduleAndMassHasItsBox) {
  for (const DatasetRecord& record : all_.records) {
    std::vector<std::string> lumps;
    for (const std::string& label : record.labels) {
      if (label == "Nodule" || label == "Mass") lumps.push_back(label);
    }
    std::vector<std::string> boxed;
    for (const Box& box : boxes_of(record)) boxed.push_back(box.finding);
    std::sort(lumps.begin(), lumps.end());
    std::sort(boxed.begin(), boxed.end());
    EXPECT_EQ(boxed, lumps) << record.key;
  }
}

TEST_F(PhantomChestXRay14, WhatIsInABoxIsBrighterThanItsFrame) {
  double boxes = 0;
  double brighter = 0;
  double elsewhere = 0;
  double brighter_elsewhere = 0;
  for (const DatasetRecord& record : all_.records) {
    const auto found = boxes_of(record);
    if (found.empty()) continue;
    const Image image = load_source(record.source);
    for (const Box& box : found) {
      ++boxes;
      brighter += inside_minus_frame(image, box) > 0 ? 1 : 0;
      for (const double up : {-2.0, 2.0}) {
        Box other = box;
        other.y += up * box.height;
        const double difference = inside_minus_frame(image, other);
        if (std::isnan(difference)) continue;  // outside of the image
        ++elsewhere;
        brighter_elsewhere += difference > 0 ? 1 : 0;
      }
    }
  }
  // Ribs, heart and diaphragm outshine some.
  EXPECT_GE(boxes, 25);
  EXPECT_GE(brighter / boxes, 0.7);
  EXPECT_GE(brighter / boxes, brighter_elsewhere / elsewhere + 0.15) << "where no box is";
}

TEST_F(PhantomChestXRay14, HeadersAreThePublishedOnes) {
  REQUIRE_DATA("tables/chestxray14/Data_Entry_2017_v2020.csv.gz");
  for (const std::string name : {"Data_Entry_2017_v2020.csv", "BBox_List_2017.csv"}) {
    const std::string published = gunzip(testing::data_folder() / "tables/chestxray14" / (name + ".gz"));
    const std::string written = read_text(folder_ / "data" / name);
    EXPECT_EQ(written.substr(0, written.find('\n')), published.substr(0, published.find('\n'))) << name;
  }
}

}  // namespace
}  // namespace medretrieval::imaging
