#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <medretrieval/imaging/meta_image.hpp>
#include <medretrieval/imaging/phantom_dataset.hpp>
#include <set>

#include "imaging/dataset_support.hpp"
#include "imaging/phantom_datasets/form.hpp"
#include "imaging/phantom_datasets/luna16.hpp"
#include "imaging/phantom_support.hpp"

namespace medretrieval::imaging {
namespace {

constexpr std::size_t kPatients = 12;

class PhantomLuna16 : public ::testing::Test {
 protected:
  void SetUp() override {
    options_.patients = kPatients;
    options_.slices = 7;
    options_.side = 128;
    counts_ = write_phantom_dataset("luna16", folder_ / "data", options_);
    drawing_ = phantom::drawing_of(options_, PhantomKind::chest_ct, phantom::kLuna16Tag);
    for (std::size_t patient = 0; patient < kPatients; ++patient) {
      for (std::size_t number = 0; number < phantom::scan_count(patient); ++number) {
        const auto scan = phantom::draw_scan(drawing_, options_.slices, patient, number);
        scans_.emplace(scan.series, Drawn{scan, patient, number});
      }
    }
  }

  struct Drawn {
    phantom::Scan scan;
    std::size_t patient;
    std::size_t number;
  };
  std::filesystem::path file_of(const Drawn& drawn) const {
    return folder_ / "data" / ("subset" + std::to_string(drawn.patient % 10)) / (drawn.scan.series + ".mhd");
  }

  testing::TemporaryFolder folder_;
  PhantomDatasetOptions options_;
  PhantomDatasetCounts counts_;
  PhantomOptions drawing_;
  std::map<std::string, Drawn> scans_;
};

TEST_F(PhantomLuna16, EveryNoduleAndTwoOthersOfEveryScanAreRead) {
  EXPECT_EQ(scans_.size(), 15U) << "every fourth patient has two";
  EXPECT_EQ(counts_.images, 15U * 7U);
  const Collector all = collect("luna16", folder_ / "data");
  std::size_t spots = 0;
  for (const auto& [series, drawn] : scans_) {
    EXPECT_GE(drawn.scan.others.size(), 2U);
    spots += drawn.scan.nodules.size() + 2;
  }
  EXPECT_GT(spots, 3U * 15U) << "some scans have two nodules";
  EXPECT_EQ(all.records.size(), 3 * spots);
  EXPECT_EQ(all.expected, 3 * spots);
  EXPECT_TRUE(all.skipped.empty());
  EXPECT_EQ(all.patients(), kPatients);
  for (const DatasetRecord& record : all.records) {
    EXPECT_EQ(record.attributes.at("subset"), std::to_string(scans_.at(record.series).patient % 10));
  }
  std::filesystem::remove(folder_ / "data/LIDC-IDRI_MetaData.csv");
  EXPECT_EQ(collect("luna16", folder_ / "data").patients(), 15U) << "that table alone joins two scans";
}

TEST_F(PhantomLuna16, PlacesBecomeTheVoxelsThatWereDrawn) {
  const Collector all = collect("luna16", folder_ / "data", {{"negatives", std::int64_t{0}}});
  std::map<std::string, std::size_t> next;
  std::size_t checked = 0;
  for (const DatasetRecord& record : all.records) {
    if (record.attributes.at("slice_offset_mm") != "0") continue;
    const auto& scan = scans_.at(record.series).scan;
    const auto& nodule = scan.nodules.at(next[record.series]++);
    // A scan that is turned round is shown as a radiologist sees it, and places are those of the view.
    const auto shown = [&](double stored) {
      return scan.is_turned ? static_cast<double>(scan.side - 1) - stored : stored;
    };
    EXPECT_NEAR(std::stod(record.attributes.at("voxel_x")), shown(nodule.voxel[0]), 0.01) << record.key;
    EXPECT_NEAR(std::stod(record.attributes.at("voxel_y")), shown(nodule.voxel[1]), 0.01) << record.key;
    EXPECT_NEAR(std::stod(record.attributes.at("voxel_z")), nodule.voxel[2], 0.01) << record.key;
    EXPECT_NEAR(std::stod(record.attributes.at("diameter_mm")), nodule.nodule.ratings.diameter_mm, 1e-3);
    ++checked;
  }
  EXPECT_GT(checked, 15U);
}

TEST_F(PhantomLuna16, WithImageLungsEverythingElseIsBlack) {
  const Parameters whole = {{"negatives", std::int64_t{0}}, {"slices", std::int64_t{1}}, {"region_mm", 0.0}};
  Parameters lungs = whole;
  lungs["image"] = std::string("lungs");
  const Collector plain = collect("luna16", folder_ / "data", whole);
  const Collector masked = collect("luna16", folder_ / "data", lungs);
  ASSERT_EQ(masked.records.size(), plain.records.size());
  std::size_t inside = 0;
  std::size_t checked = 0;
  for (std::size_t i = 0; i < masked.records.size(); i += 2, ++checked) {
    const Image before = load_source(plain.records[i].source);
    const Image after = masked.records[i].load();
    std::size_t black = 0;
    for (std::size_t p = 0; p < after.pixels().size(); ++p) {
      black += after.pixels()[p] == 0 ? 1 : 0;
      ASSERT_TRUE(after.pixels()[p] == 0 || after.pixels()[p] == before.pixels()[p]) << plain.records[i].key;
    }
    EXPECT_GT(black, after.pixels().size() / 2) << "body and air";
    EXPECT_LT(black, after.pixels().size() * 95 / 100) << "lungs";
    const auto place = [&](const char* name) {
      return static_cast<std::size_t>(std::lround(std::stod(masked.records[i].attributes.at(name))));
    };
    inside += after.at(place("voxel_x"), place("voxel_y")) > 0 ? 1 : 0;
  }
  EXPECT_GT(checked, 8U);
  EXPECT_GE(inside * 4, checked * 3) << "nodules deep in the wall may be cut away, others not";
  lungs["image"] = std::string("heart");
  EXPECT_ERROR(collect("luna16", folder_ / "data", lungs), invalid_argument, "plain or lungs");
}

TEST_F(PhantomLuna16, NodulesAreBrightWhereTheTableSaysAndOthersLieInTheLungs) {
  std::size_t nodules = 0;
  std::size_t bright = 0;
  const auto level_at = [](const MetaImage& volume, const Point3& world) {
    const Point3 voxel = volume.to_voxel(world);
    const Image slice = volume.slice(static_cast<std::size_t>(std::lround(voxel[2])));
    const double x = std::round(voxel[0]);
    const double y = std::round(voxel[1]);
    return testing::mean_in(slice, x - 1, y - 1, x + 2, y + 2);
  };
  for (const auto& [series, drawn] : scans_) {
    const MetaImage volume = read_meta_image(file_of(drawn));
    for (const auto& found : drawn.scan.nodules) {
      ++nodules;
      bright += level_at(volume, found.world) > -750 ? 1 : 0;
    }
    for (const Point3& world : drawn.scan.others) EXPECT_LT(level_at(volume, world), 0) << series;
  }
  EXPECT_GE(bright, nodules * 9 / 10) << "but for the faintest ground glass, of " << nodules;
}

TEST_F(PhantomLuna16, VoxelsAreTheHounsfieldUnitsThatWereDrawnInFramesOfBothDirections) {
  std::set<double> directions;
  for (const auto& [series, drawn] : scans_) {
    const MetaImage volume = read_meta_image(file_of(drawn));
    directions.insert(volume.direction[0][0]);
    EXPECT_EQ(volume.element_type, "MET_SHORT");
    EXPECT_EQ(volume.depth, 7U);
    EXPECT_NE(volume.origin, (Point3{0, 0, 0}));
    EXPECT_NE(volume.spacing[0], volume.spacing[2]);
    const Image expected = phantom::paint_scan_slice(drawing_, drawn.scan, drawn.patient, drawn.number, 3);
    const Image slice = volume.slice(3);
    EXPECT_TRUE(std::equal(slice.pixels().begin(), slice.pixels().end(), expected.pixels().begin()))
        << series;
  }
  EXPECT_EQ(directions, (std::set<double>{-1, 1}));
}

TEST_F(PhantomLuna16, HeadersAreThePublishedOnes) {
  REQUIRE_DATA("tables/luna16/annotations.csv");
  const auto tables = testing::data_folder() / "tables";
  const auto first_line = [](const std::string& text) {
    std::string line = text.substr(0, text.find('\n'));
    while (line.ends_with('\r')) line.pop_back();
    return line;
  };
  EXPECT_EQ(first_line(read_text(folder_ / "data/annotations.csv")),
            first_line(read_text(tables / "luna16/annotations.csv")));
  EXPECT_EQ(first_line(read_text(folder_ / "data/LIDC-IDRI_MetaData.csv")),
            first_line(read_text(tables / "lidc/LIDC-IDRI_MetaData.csv")));
  EXPECT_EQ(first_line(read_text(folder_ / "data/candidates_V2.csv")),
            "seriesuid,coordX,coordY,coordZ,class");
}

}  // namespace
}  // namespace medretrieval::imaging
