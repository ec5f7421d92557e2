#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "imaging/dataset_support.hpp"

namespace medretrieval::imaging {
namespace {

using testing::ByteVector;

constexpr const char* kHeader =
    "File_name,Patient_index,Study_index,Series_ID,Key_slice_index,Measurement_coordinates,Bounding_boxes,"
    "Lesion_diameters_Pixel_,Normalized_lesion_location,Coarse_lesion_type,Possibly_noisy,Slice_range,"
    "Spacing_mm_px_,Image_size,DICOM_windows,Patient_gender,Patient_age,Train_Val_Test\n";

/// A row with these values of the columns that tests change.
struct Row {
  std::string file = "000001_02_03_017.png";
  std::string patient = "1";
  std::string box = "1.5, 2, 3.25, 3.5";
  std::string type = "5";
  std::string noisy = "0";
  std::string spacing = "0.5, 0.5, 5";
  std::string size = "8, 8";
  std::string window = "-175, 275";
  std::string part = "2";

  std::string text() const {
    return file + "," + patient + ",2,3,17,\"1, 2, 3, 4, 5, 6, 7, 8\",\"" + box +
           "\",\"12, 5\",\"0.4, 0.3, 0.2\"," + type + "," + noisy + ",\"8, 23\",\"" + spacing + "\",\"" +
           size + "\",\"" + window + "\",F,62," + part + "\n";
  }
};

class DeepLesion : public ::testing::Test {
 protected:
  Collector read(const std::vector<Row>& rows, const Parameters& options = {}) {
    std::string text = kHeader;
    for (const Row& row : rows) text += row.text();
    write_text(folder_ / "DL_info.csv", text);
    return collect("deeplesion", folder_.path(), options);
  }
  /// A key slice of 8 x 8 pixels whose HU are 10 * (x + 8 * y) - 200.
  void write_slice(const std::string& path, std::uint8_t bits = 16) {
    ByteVector rows;
    for (int i = 0; i < 64; ++i) {
      if (bits == 8) {
        rows.push_back(static_cast<std::uint8_t>(i));
      } else {
        testing::append_big_endian(rows, static_cast<std::uint32_t>(32768 + 10 * i - 200), 2);
      }
    }
    std::filesystem::create_directories((folder_ / path).parent_path());
    testing::write_bytes(folder_ / path, testing::make_png({8, 8, bits, 0, rows, {}}));
  }

  testing::TemporaryFolder folder_;
};

TEST_F(DeepLesion, SlicesGatherTheirLesions) {
  Row second;
  second.type = "6";
  Row unlabelled;
  unlabelled.type = "-1";
  Row other;
  other.file = "000001_02_03_018.png";
  other.part = "3";
  const Collector all = read({{}, other, second, unlabelled});
  ASSERT_EQ(all.records.size(), 2U);
  const DatasetRecord& record = all.records[0];
  EXPECT_EQ(record.key, "000001_02_03_017");
  EXPECT_EQ(record.patient, "000001");
  EXPECT_EQ(record.study, "000001_02");
  EXPECT_EQ(record.series, "000001_02_03");
  EXPECT_EQ(record.labels, (std::vector<std::string>{"lung", "kidney"}));
  EXPECT_EQ(record.official, OfficialSplit::validation);
  EXPECT_EQ(record.attributes.at("lesions"), "3");
  EXPECT_EQ(record.attributes.at("boxes"), "1.5 2 3.25 3.5|1.5 2 3.25 3.5|1.5 2 3.25 3.5");
  EXPECT_EQ(record.attributes.at("box_types"), "lung|kidney|unknown");
  EXPECT_EQ(record.attributes.at("longest_mm"), "6|6|6");
  EXPECT_EQ(all.records[1].official, OfficialSplit::test);
}

TEST_F(DeepLesion, StoredValuesBecomeHounsfieldUnitsUnderTheStatedWindow) {
  write_slice("Images_png/000001_02_03/017.png");
  const Collector all = read({{}});
  const Image image = all.records.at(0).load();
  for (std::size_t i = 0; i < 64; ++i) {
    const double hounsfield = 10.0 * static_cast<double>(i) - 200;
    EXPECT_NEAR(image.pixels()[i], std::clamp((hounsfield + 175) / 450, 0.0, 1.0), 1e-6) << i;
  }
  const Collector chosen = read({{}}, {{"window_center", 0.0}, {"window_width", 400.0}});
  EXPECT_NEAR(chosen.records.at(0).load().pixels()[20], 0.5, 1e-6) << "0 HU in the middle of the window";
}

TEST_F(DeepLesion, ALesionsSurroundingsAreASquare) {
  write_slice("Key_slices/000001_02_03_017.png");
  const Collector all = read({{}}, {{"unit", "lesion"}, {"margin_mm", 0.5}});
  const DatasetRecord& record = all.records.at(0);
  EXPECT_EQ(record.key, "000001_02_03_017-lesion1");
  ASSERT_TRUE(record.source.region.has_value());
  EXPECT_EQ(record.source.region->width, 5U);
  EXPECT_EQ(record.source.region->height, 5U);
  EXPECT_EQ(record.source.region->x, 0);
  EXPECT_EQ(record.source.region->y, 1);
  EXPECT_EQ(record.attributes.at("crop_x"), "0");
  EXPECT_EQ(record.attributes.at("crop_y"), "1");
  const Image image = record.load();
  EXPECT_EQ(image.width(), 5U);
}

TEST_F(DeepLesion, TheWholeBoxIsInTheSquare) {
  Row row;
  row.size = "512, 512";
  row.box = "10.6, 12, 20.4, 15.5";
  Row edge = row;
  edge.box = "-2.5, 30, 4.2, 34";
  const Collector all = read({row, edge}, {{"unit", "lesion"}, {"margin_mm", 0.0}});
  const auto region = [&](std::size_t i) { return *all.records.at(i).source.region; };
  EXPECT_EQ(region(0).x, 10);
  EXPECT_EQ(region(0).width, 11U) << "columns 10 to 20";
  EXPECT_EQ(region(0).y, 9) << "rows 12 to 15 in the middle";
  EXPECT_EQ(region(0).height, 11U);
  EXPECT_EQ(region(1).x, -3) << "towards the lower, not towards 0";
  EXPECT_EQ(region(1).width, 8U);
  EXPECT_EQ(all.expected, 2U);
}

TEST_F(DeepLesion, RowsOfASliceThatDisagreeLeaveItOut) {
  Row other_part;
  other_part.part = "3";
  Row noisy = other_part;
  noisy.noisy = "1";
  Row other_spacing;
  other_spacing.spacing = "0.5, 0.5, 2";
  for (const Row& second : {other_part, noisy, other_spacing}) {
    const Collector all = read({{}, second});
    EXPECT_EQ(all.records.size(), 0U);
    EXPECT_EQ(all.skipped.at("rows_disagree"), 1U);
  }
  EXPECT_EQ(read({{}, {}}).records.size(), 1U);
}

TEST_F(DeepLesion, ACopyOfAnotherSizeIsRefused) {
  write_slice("Images_png/000001_02_03/017.png");
  Row row;
  row.size = "16, 16";
  const Collector all = read({row});
  EXPECT_ERROR(all.records.at(0).load(), corrupt, "expected 16 x 16 pixels as in Image_size, got 8 x 8");
}

TEST_F(DeepLesion, AnEightBitCopyHasLostItsUnits) {
  write_slice("Images_png/000001_02_03/017.png", 8);
  const Collector all = read({{}});
  EXPECT_ERROR(all.records.at(0).load(), unsupported, "16 bits");
}

TEST_F(DeepLesion, NoisyLesionsOnRequest) {
  Row noisy;
  noisy.noisy = "1";
  EXPECT_EQ(read({noisy}).skipped.at("possibly_noisy"), 1U);
  EXPECT_EQ(read({noisy}, {{"noisy", true}}).records.size(), 1U);
}

TEST_F(DeepLesion, HostileTablesAreRefused) {
  const auto with = [&](std::string Row::*field, const std::string& value) {
    Row row;
    row.*field = value;
    return read({row});
  };
  EXPECT_ERROR(with(&Row::file, "../x.png"), corrupt, "the name of a file");
  EXPECT_ERROR(with(&Row::patient, "2"), corrupt, "(000002_02_03)");
  EXPECT_ERROR(with(&Row::box, "1, 2, 3"), corrupt, "\"Bounding_boxes\"");
  EXPECT_ERROR(with(&Row::box, "3, 2, 1, 5"), corrupt, "line 2");
  EXPECT_ERROR(with(&Row::box, "10, 2, 12, 5"), corrupt, "a box in the image");
  EXPECT_ERROR(with(&Row::box, "nan, 2, 12, 5"), corrupt, "4 numbers");
  EXPECT_ERROR(with(&Row::type, "0"), corrupt, "from 1 to 8, or -1");
  EXPECT_ERROR(with(&Row::type, "9"), corrupt, "-1 to 8");
  EXPECT_ERROR(with(&Row::spacing, "0, 0, 5"), corrupt, "above 0");
  EXPECT_ERROR(with(&Row::spacing, "nan, 1, 5"), corrupt, "3 numbers");
  EXPECT_ERROR(with(&Row::size, "0, 8"), corrupt, "a size in pixels");
  EXPECT_ERROR(with(&Row::size, "1e9, 8"), corrupt, "a size in pixels");
  EXPECT_ERROR(with(&Row::window, "275, -175"), corrupt, "lower to a higher");
  EXPECT_ERROR(with(&Row::part, "4"), corrupt, "from 1 to 3");
  EXPECT_ERROR(read({{}}, {{"unit", "box"}}), invalid_argument, "slice or lesion, got 'box'");
}

TEST_F(DeepLesion, BoxesAndTypesAgreeWithTheTruthFiles) {
  REQUIRE_DATA("ct_deeplesion/truth");
  const auto data = testing::data_folder();
  std::filesystem::copy(data / "tables/deeplesion/DL_info_RESTORED.csv", folder_ / "DL_info.csv");
  const Collector all = collect("deeplesion", folder_.path());
  const std::map<std::string, int> types = {{"abdomen", 2}, {"mediastinum", 3}};
  EXPECT_EQ(all.records.size(), 12U);
  for (const DatasetRecord& record : all.records) {
    std::ifstream truth(data / "ct_deeplesion/truth" / (record.key + ".tru"));
    ASSERT_TRUE(truth) << record.key;
    int type = 0;
    double top = 0;
    double left = 0;
    double bottom = 0;
    double right = 0;
    truth >> type >> top >> left >> bottom >> right;
    std::array<double, 4> box{};
    std::istringstream text(record.attributes.at("boxes"));
    for (double& value : box) text >> value;
    EXPECT_EQ(types.at(record.labels.at(0)), type) << record.key;
    EXPECT_NEAR(box[0] / 512, left, 1e-4) << record.key;
    EXPECT_NEAR(box[1] / 512, top, 1e-4) << record.key;
    EXPECT_NEAR(box[2] / 512, right, 1e-4) << record.key;
    EXPECT_NEAR(box[3] / 512, bottom, 1e-4) << record.key;
  }
  std::cout << all.records.size() << " boxes agree with their truth files\n";
}

}  // namespace
}  // namespace medretrieval::imaging
