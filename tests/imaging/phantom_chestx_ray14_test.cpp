#include <gtest/gtest.h>

#include <medretrieval/imaging/phantom_dataset.hpp>
#include <set>
#include <sstream>

#include "imaging/dataset_support.hpp"
#include "imaging/phantom_support.hpp"

namespace medretrieval::imaging {
namespace {

constexpr double kPublishedSide = 1024;

class PhantomChestXRay14 : public ::testing::Test {
 protected:
  void SetUp() override {
    options_.patients = 40;
    options_.side = 128;
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
  EXPECT_EQ(all_.patients(), 40U);
  EXPECT_TRUE(all_.skipped.empty());
  std::set<std::string> folders;
  std::set<std::string> labels;
  for (const DatasetRecord& record : all_.records) {
    const bool is_test = std::stoi(record.patient) % 5 == 0;
    EXPECT_EQ(record.official, is_test ? OfficialSplit::test : OfficialSplit::train) << record.key;
    folders.insert(record.source.file.parent_path().parent_path().filename().string());
    labels.insert(record.labels.begin(), record.labels.end());
    EXPECT_EQ(load_source(record.source).width(), 128U);
  }
  EXPECT_EQ(folders.size(), 12U) << "images_001 to images_012";
  EXPECT_GE(labels.size(), 6U);
  EXPECT_TRUE(labels.contains("No Finding"));
}

TEST_F(PhantomChestXRay14, BoxesLieAroundBrightNodulesAndMasses) {
  std::size_t boxes = 0;
  std::size_t brighter = 0;
  for (const DatasetRecord& record : all_.records) {
    std::size_t lumps = 0;
    for (const std::string& label : record.labels) lumps += label == "Nodule" || label == "Mass" ? 1 : 0;
    const auto corners = record.attributes.find("boxes");
    ASSERT_EQ(corners != record.attributes.end(), lumps > 0) << record.key;
    if (lumps == 0) continue;
    const Image image = load_source(record.source);
    std::istringstream findings(record.attributes.at("box_findings"));
    std::istringstream list(corners->second);
    std::size_t in_image = 0;
    for (std::string box; std::getline(list, box, '|'); ++in_image) {
      std::string finding;
      std::getline(findings, finding, '|');
      EXPECT_EQ(std::count(record.labels.begin(), record.labels.end(), finding), 1) << record.key;
      std::istringstream numbers(box);
      double x = 0;
      double y = 0;
      double width = 0;
      double height = 0;
      numbers >> x >> y >> width >> height;
      const double scale = 128 / kPublishedSide;
      const double middle_x = scale * (x + width / 2);
      const double middle_y = scale * (y + height / 2);
      const double reach = scale * std::max(width, height) / 2;
      const double inside = testing::mean_in(image, middle_x - reach / 2, middle_y - reach / 2,
                                             middle_x + reach / 2, middle_y + reach / 2);
      const double around = testing::mean_in(image, middle_x - 2 * reach, middle_y - 2 * reach,
                                             middle_x + 2 * reach, middle_y + 2 * reach);
      ++boxes;
      brighter += inside > around ? 1 : 0;
    }
    EXPECT_EQ(in_image, lumps) << record.key;
  }
  EXPECT_GE(boxes, 10U);
  EXPECT_GE(brighter, boxes * 8 / 10) << "ribs and heart outshine few, of " << boxes;
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
