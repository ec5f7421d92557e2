#include <gtest/gtest.h>
#include <zlib.h>

#include <medretrieval/imaging/chest_boxes.hpp>

#include "imaging/dataset_support.hpp"

namespace medretrieval::imaging {
namespace {

const std::string kHeader = "Image Index,Finding Label,Bbox [x,y,w,h],,,\n";

/// A file that deflates to `text`, as gzip writes it.
void write_gzip(const std::filesystem::path& file, const std::string& text) {
  gzFile packed = gzopen(file.c_str(), "wb");
  ASSERT_NE(packed, nullptr);
  ASSERT_EQ(gzwrite(packed, text.data(), static_cast<unsigned>(text.size())), static_cast<int>(text.size()));
  ASSERT_EQ(gzclose(packed), Z_OK);
}

class ChestBoxes : public ::testing::Test {
 protected:
  auto read(const std::string& rows, double side = kPublishedChestSide) {
    write_text(file_, kHeader + rows);
    return read_chest_boxes(file_, side);
  }

  testing::TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "boxes.csv";
};

TEST_F(ChestBoxes, AreThoseOfTheirImage) {
  const auto boxes =
      read("b.png,Mass,1.5,2,30,40\na.png,Nodule,0,0,1024,1024,,,\nb.png,Infiltrate,5,6,7,8\n");
  ASSERT_EQ(boxes.size(), 2U);
  ASSERT_EQ(boxes.at("b.png").size(), 2U);
  EXPECT_EQ(boxes.at("b.png")[0].finding, "Mass");
  EXPECT_EQ(boxes.at("b.png")[0].left, 1.5);
  EXPECT_EQ(boxes.at("b.png")[0].top, 2);
  EXPECT_EQ(boxes.at("b.png")[0].width, 30);
  EXPECT_EQ(boxes.at("b.png")[0].height, 40);
  EXPECT_EQ(boxes.at("b.png")[1].finding, "Infiltration");
  EXPECT_EQ(boxes.at("a.png")[0].width, 1024);
}

TEST_F(ChestBoxes, ComePackedToo) {
  write_gzip(file_, "\xEF\xBB\xBF" + kHeader + "a.png,Mass,1,2,3,4\n");
  EXPECT_EQ(read_chest_boxes(file_).at("a.png")[0].height, 4);
  const auto size = std::filesystem::file_size(file_);
  for (const std::uintmax_t cut : {std::uintmax_t{2}, std::uintmax_t{20}, size - 9}) {
    std::filesystem::resize_file(file_, cut);
    EXPECT_ERROR(read_chest_boxes(file_), corrupt, "boxes.csv");
    write_gzip(file_, kHeader + "a.png,Mass,1,2,3,4\n");
  }
}

TEST_F(ChestBoxes, AreRefusedWhenTheyUnfoldToTooMuch) {
  write_gzip(file_, kHeader + std::string(kMaxBoxTableBytes, ','));
  EXPECT_LT(std::filesystem::file_size(file_), 100'000U);
  EXPECT_ERROR(read_chest_boxes(file_), limit_exceeded, "boxes.csv");
  write_text(file_, kHeader + std::string(kMaxBoxTableBytes, '\n'));
  EXPECT_ERROR(read_chest_boxes(file_), limit_exceeded, "boxes.csv");
}

TEST_F(ChestBoxes, ThatCannotBeAreRefusedWithFileAndLine) {
  for (const char* box :
       {"1000,5,100,5", "5,1000,5,100", "-1,5,5,5", "5,5,0,5", "5,5,5,nan", "5,5,5,", "5,5,1e9,5"}) {
    EXPECT_ERROR(read(std::string("a.png,Mass,1,2,3,4\na.png,Mass,") + box + "\n"), corrupt,
                 "boxes.csv line 3");
  }
  EXPECT_ERROR(read("a.png,Tumour,1,2,3,4\n"), corrupt, "expected a finding of ChestX-ray14");
  EXPECT_ERROR(read("../a.png,Mass,1,2,3,4\n"), corrupt, "line 2");
  EXPECT_ERROR(read("a.png,Mass,1,2,3\n"), corrupt, "line 2");
  write_text(file_, "Image Index,Finding Label,x,y,w,h\n");
  EXPECT_ERROR(read_chest_boxes(file_), not_found, "no column \"Bbox [x\"");
  EXPECT_ERROR(read_chest_boxes(folder_ / "none.csv"), not_found, "none.csv");
}

TEST_F(ChestBoxes, AreInPixelsOfTheSideThatIsGiven) {
  EXPECT_EQ(read("a.png,Mass,0,0,2000,100\n", 2000).at("a.png")[0].width, 2000);
  EXPECT_ERROR(read("a.png,Mass,0,0,300,100\n", 256), corrupt, "0 to 256");
  EXPECT_ERROR(read("", 0), invalid_argument, "side of boxes");
  EXPECT_ERROR(read("", std::nan("")), invalid_argument, "nan");
}

TEST_F(ChestBoxes, TheWholePublishedTable) {
  REQUIRE_DATA("tables/chestxray14/BBox_List_2017.csv.gz");
  const auto boxes = read_chest_boxes(testing::data_folder() / "tables/chestxray14/BBox_List_2017.csv.gz");
  std::size_t count = 0;
  for (const auto& [image, found] : boxes) count += found.size();
  EXPECT_EQ(boxes.size(), 880U);
  EXPECT_EQ(count, 984U);
  EXPECT_EQ(boxes.at("00013118_008.png")[0].finding, "Atelectasis");
  EXPECT_NEAR(boxes.at("00013118_008.png")[0].left, 225.0847, 1e-3);
}

}  // namespace
}  // namespace medretrieval::imaging
