#include <gtest/gtest.h>

#include <medretrieval/imaging/meta_image.hpp>

#include "imaging/dataset_support.hpp"
#include "support/csv_table.hpp"

namespace medretrieval::imaging {
namespace {

using testing::ByteVector;

class Luna16 : public ::testing::Test {
 protected:
  /// A scan of 8 x 8 x 5 voxels, each the number of its slice.
  void write_scan(const std::string& path, const std::string& geometry = kGeometry) {
    const auto header = folder_ / (path + ".mhd");
    write_text(header, "ObjectType = Image\nNDims = 3\n" + geometry + "DimSize = 8 8 5\n" +
                           "ElementType = MET_UCHAR\nElementDataFile = " + header.stem().string() + ".raw\n");
    ByteVector voxels;
    for (std::uint8_t z = 0; z < 5; ++z) voxels.insert(voxels.end(), 64, z);
    testing::write_bytes(folder_ / (path + ".raw"), voxels);
  }
  Collector read(const std::string& nodules, const std::string& candidates, const Parameters& options = {}) {
    write_text(folder_ / "annotations.csv", "seriesuid,coordX,coordY,coordZ,diameter_mm\n" + nodules);
    write_text(folder_ / "candidates.csv", "seriesuid,coordX,coordY,coordZ,class\n" + candidates);
    return collect("luna16", folder_.path(), options);
  }

  static constexpr const char* kGeometry =
      "Offset = -10 -20 100\nElementSpacing = 0.5 0.5 2\nTransformMatrix = 1 0 0 0 1 0 0 0 1\n";
  testing::TemporaryFolder folder_;
};

TEST_F(Luna16, SlicesAndRegionsAroundNodulesAndOthers) {
  write_scan("subset3/1.2");
  const Collector all = read(
      "1.2,-8,-18,104,6.5\n", "1.2,-8,-18,104,1\n1.2,-9,-19,100,0\n1.2,-7,-19,106,0\n",
      {{"region_mm", 2.0}, {"negatives", std::int64_t{1}}, {"window_center", 2.0}, {"window_width", 4.0}});
  ASSERT_GE(all.records.size(), 5U);
  const DatasetRecord& record = all.records[1];
  EXPECT_EQ(record.key, "1.2-nodule1-z2");
  EXPECT_EQ(record.labels, (std::vector<std::string>{"nodule"}));
  EXPECT_EQ(record.patient, "1.2");
  EXPECT_EQ(record.source.options.frame, 2U);
  EXPECT_EQ(record.attributes.at("voxel_x"), "4");
  EXPECT_EQ(record.attributes.at("voxel_z"), "2");
  EXPECT_EQ(record.attributes.at("diameter_mm"), "6.5");
  EXPECT_EQ(record.attributes.at("subset"), "3");
  EXPECT_EQ(all.records[0].attributes.at("slice_offset_mm"), "-2");
  const Image image = load_source(record.source);
  EXPECT_EQ(image.width(), 4U);
  EXPECT_EQ(image.at(0, 0), 0.5F);
  std::set<std::string> others;
  for (const auto& one : all.records) {
    if (one.labels[0] == "non-nodule") others.insert(one.key.substr(0, one.key.rfind('-')));
  }
  EXPECT_EQ(others, (std::set<std::string>{"1.2-other1"})) << "one candidate a scan";
}

TEST_F(Luna16, ARegionOverTheEdgeIsBlackThere) {
  write_scan("1.2");
  const Collector all =
      read("1.2,-10,-20,108,3\n", "",
           {{"region_mm", 2.0}, {"slices", std::int64_t{1}}, {"window_center", 2.0}, {"window_width", 4.0}});
  const Image image = load_source(all.records.at(0).source);
  EXPECT_EQ(image.at(1, 1), 0.0F);
  EXPECT_EQ(image.at(2, 2), 1.0F);
}

/// The same patient, stored along other axes: images, places and offsets come out the same.
TEST_F(Luna16, EveryAxialDirectionShowsThePatientAlike) {
  constexpr std::size_t kWidth = 8;
  constexpr std::size_t kHeight = 6;
  constexpr std::size_t kDepth = 5;
  const auto level = [](std::size_t x, std::size_t y, std::size_t z) {
    return static_cast<std::uint8_t>(x + 8 * y + 48 * z);
  };
  const auto write = [&](bool x, bool y, bool z, bool compressed) {
    ByteVector voxels;
    for (std::size_t k = 0; k < kDepth; ++k) {
      for (std::size_t j = 0; j < kHeight; ++j) {
        for (std::size_t i = 0; i < kWidth; ++i) {
          voxels.push_back(level(x ? kWidth - 1 - i : i, y ? kHeight - 1 - j : j, z ? kDepth - 1 - k : k));
        }
      }
    }
    const auto sign = [](bool back) { return back ? "-1" : "1"; };
    std::string text = "ObjectType = Image\nNDims = 3\nOffset = ";
    text += std::string(x ? "-6.5" : "-10") + (y ? " -17.5" : " -20") + (z ? " 108" : " 100");
    text += std::string("\nElementSpacing = 0.5 0.5 2\nTransformMatrix = ") + sign(x) + " 0 0 0 " + sign(y) +
            " 0 0 0 " + sign(z) + "\nDimSize = 8 6 5\nElementType = MET_UCHAR\n";
    if (compressed) {
      uLongf size = compressBound(voxels.size());
      ByteVector packed(size);
      compress(packed.data(), &size, voxels.data(), voxels.size());
      packed.resize(size);
      voxels = packed;
      text += "CompressedData = True\n";
    }
    write_text(folder_ / "1.2.mhd", text + "ElementDataFile = 1.2.raw\n");
    testing::write_bytes(folder_ / "1.2.raw", voxels);
  };
  const Parameters options = {
      {"region_mm", 2.0}, {"window_center", 127.5}, {"window_width", 255.0}, {"negatives", std::int64_t{0}}};
  for (int i = 0; i < 16; ++i) {
    write((i & 1) != 0, (i & 2) != 0, (i & 4) != 0, (i & 8) != 0);
    const Collector all = read("1.2,-8.5,-18,102,6.5\n", "", options);  // column 3, row 4, slice 1
    ASSERT_EQ(all.records.size(), 3U) << i;
    for (const DatasetRecord& record : all.records) {
      EXPECT_EQ(record.attributes.at("voxel_x"), "3") << i;
      EXPECT_EQ(record.attributes.at("voxel_y"), "4") << i;
      const double slice = 1 + std::stod(record.attributes.at("slice_offset_mm")) / 2;
      EXPECT_EQ(static_cast<bool>(record.load), (i & 8) != 0);
      const Image image = record.load ? record.load() : load_source(record.source);
      ASSERT_EQ(image.width(), 4U);
      for (std::size_t y = 0; y < 4; ++y) {
        for (std::size_t x = 0; x < 4; ++x) {
          const bool inside = y + 2 < kHeight;
          const double expected = inside ? level(x + 1, y + 2, static_cast<std::size_t>(slice)) / 255.0 : 0;
          EXPECT_NEAR(image.at(x, y), expected, 1e-6) << i << ' ' << x << ' ' << y;
        }
      }
    }
  }
}

TEST_F(Luna16, ATurnedScanIsLeftOutAndCounted) {
  write_scan("1.2", "ElementSpacing = 0.5 0.5 2\nTransformMatrix = 0 1 0 -1 0 0 0 0 1\n");
  write_scan("1.3", "ElementSpacing = 0.5 0.5 2\nTransformMatrix = 0.8 0.6 0 -0.6 0.8 0 0 0 1\n");
  const Collector all = read("1.2,0,0,4,3\n1.3,0,0,4,3\n", "");
  EXPECT_EQ(all.skipped.at("other_orientation"), 2U);
  EXPECT_TRUE(all.records.empty());
}

TEST_F(Luna16, WithoutCandidatesTheMessageSaysWhatHelps) {
  write_text(folder_ / "annotations.csv", "seriesuid,coordX,coordY,coordZ,diameter_mm\n");
  EXPECT_ERROR(collect("luna16", folder_.path()), not_found, "with negatives=0 none is needed");
}

TEST_F(Luna16, WhatLiesOutsideTheScanIsCounted) {
  write_scan("1.2");
  const Collector all = read("1.2,-10,-20,100,3\n1.2,50,-20,100,3\n9.9,1,1,1,3\n", "");
  EXPECT_EQ(all.skipped.at("outside_image"), 1U);
  EXPECT_EQ(all.skipped.at("slice_outside_scan"), 1U);
  EXPECT_EQ(all.skipped.at("missing_image"), 1U);
  EXPECT_EQ(all.records.size(), 2U);
}

TEST_F(Luna16, ADamagedScanIsCountedAndTheRestGoesOn) {
  write_scan("1.2", "ElementSpacing = 0 0.5 2\n");
  write_scan("1.3", "ElementSpacing = nan 0.5 2\n");
  write_scan("1.4");
  const Collector all = read("1.2,0,0,0,3\n1.3,0,0,0,3\n1.4,-8,-18,104,3\n", "");
  EXPECT_EQ(all.skipped.at("unreadable_image"), 2U);
  EXPECT_EQ(all.records.size(), 3U);
}

TEST_F(Luna16, HostileTablesAreRefused) {
  EXPECT_ERROR(read("../1.2,1,1,1,3\n", ""), corrupt, "a series instance UID");
  EXPECT_ERROR(read("..,1,1,1,3\n", ""), corrupt, "a series instance UID");
  EXPECT_ERROR(read("1.2,nan,1,1,3\n", ""), corrupt, "\"coordX\", got \"nan\"");
  EXPECT_ERROR(read("1.2,1,1,1e9,3\n", ""), corrupt, "\"coordZ\"");
  EXPECT_ERROR(read("1.2,1,1,1,0\n", ""), corrupt, "diameter_mm");
  EXPECT_ERROR(read("", "1.2,1,1,1,2\n"), corrupt, "\"class\", got \"2\"");
  EXPECT_ERROR(read("", "", {{"slices", std::int64_t{2}}}), invalid_argument, "odd");
}

TEST_F(Luna16, TwoScansOfOnePatientStayTogether) {
  REQUIRE_DATA("tables/luna16/seriesuids.csv");
  const auto tables = testing::data_folder() / "tables";
  std::map<std::string, std::string> truth;
  for (const auto& row : testing::read_csv_table(tables / "lidc/LIDC-IDRI_MetaData.csv")) {
    truth[row.at("Series UID")] = row.at("Patient Id");
  }
  std::ifstream series(tables / "luna16/seriesuids.csv");
  std::string nodules;
  for (std::string uid; std::getline(series, uid);) {
    while (!uid.empty() && uid.back() == '\r') uid.pop_back();
    write_scan(uid);
    nodules += uid + ",-8,-18,104,3\n";
  }
  const Parameters one_slice = {{"slices", std::int64_t{1}}};
  const Collector alone = read(nodules, "", one_slice);
  std::map<std::string, std::set<std::string>> patients;
  for (const auto& record : alone.records) patients[truth.at(record.series)].insert(record.patient);
  for (const auto& [patient, names] : patients) EXPECT_EQ(names.size(), 1U) << patient;
  EXPECT_EQ(alone.records.size(), 888U);
  EXPECT_EQ(alone.patients(), 887U);
  std::filesystem::copy(tables / "lidc/LIDC-IDRI_MetaData.csv", folder_ / "LIDC-IDRI_MetaData.csv");
  const Collector named = read(nodules, "", one_slice);
  for (const auto& record : named.records) EXPECT_EQ(record.patient, truth.at(record.series));
  std::cout << alone.records.size() << " scans of " << alone.patients() << " patients\n";
}

TEST_F(Luna16, ThePublishedNodules) {
  REQUIRE_DATA("tables/luna16/annotations.csv");
  std::filesystem::copy(testing::data_folder() / "tables/luna16/annotations.csv",
                        folder_ / "annotations.csv");
  const Collector all = collect("luna16", folder_.path(), {{"negatives", std::int64_t{0}}});
  EXPECT_EQ(all.skipped.at("missing_image"), 1186U);
}

TEST_F(Luna16, TheNoduleOfAnLidcScanLiesWhereItsContoursDo) {
  REQUIRE_DATA("metaimage/lidc_as_luna16");
  const auto data = testing::data_folder() / "metaimage/lidc_as_luna16";
  for (const auto& entry : std::filesystem::directory_iterator(data)) {
    std::filesystem::create_symlink(entry.path(), folder_ / entry.path().filename().string());
  }
  std::filesystem::create_symlink(data / "annotations_of_this_series.csv", folder_ / "annotations.csv");
  const Collector all =
      collect("luna16", folder_.path(), {{"negatives", std::int64_t{0}}, {"region_mm", 0.0}});
  ASSERT_EQ(all.records.size(), 3U);
  const DatasetRecord& record = all.records[1];
  EXPECT_NEAR(std::stod(record.attributes.at("voxel_x")), 316.03, 0.01);
  EXPECT_NEAR(std::stod(record.attributes.at("voxel_y")), 367.00, 0.01);
  EXPECT_NEAR(std::stod(record.attributes.at("voxel_z")), 5.65, 0.01);
  EXPECT_EQ(record.source.options.frame, 6U);
  const MetaImage whole = read_meta_image(record.source.file);
  const Image expected = apply_window(whole.slice(6), {-300, 1800});
  const Image loaded = load_source(record.source);
  EXPECT_TRUE(std::equal(loaded.pixels().begin(), loaded.pixels().end(), expected.pixels().begin()));
  std::cout << "nodule at voxel " << record.attributes.at("voxel_x") << ", "
            << record.attributes.at("voxel_y") << ", " << record.attributes.at("voxel_z") << '\n';
}

}  // namespace
}  // namespace medretrieval::imaging
