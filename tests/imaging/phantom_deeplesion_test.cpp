#include <gtest/gtest.h>

#include <cmath>
#include <medretrieval/imaging/phantom_dataset.hpp>
#include <set>
#include <sstream>

#include "imaging/dataset_support.hpp"
#include "imaging/phantom_datasets/deeplesion.hpp"
#include "imaging/phantom_datasets/form.hpp"
#include "imaging/phantom_support.hpp"

namespace medretrieval::imaging {
namespace {

class PhantomDeepLesion : public ::testing::Test {
 protected:
  void SetUp() override {
    options_.patients = 40;
    options_.side = 128;
    counts_ = write_phantom_dataset("deeplesion", folder_ / "data", options_);
    all_ = collect("deeplesion", folder_ / "data", {{"noisy", true}});
    const auto drawing = phantom::drawing_of(options_, PhantomKind::chest_ct, phantom::kDeepLesionTag);
    for (std::size_t patient = 0; patient < options_.patients; ++patient) {
      for (std::size_t i = 0; i < phantom::draw_image_count(drawing, patient); ++i) {
        drawn_.push_back(phantom::draw_key_slice(drawing, patient, i));
      }
    }
  }

  testing::TemporaryFolder folder_;
  PhantomDatasetOptions options_;
  PhantomDatasetCounts counts_;
  Collector all_;
  std::vector<phantom::KeySlice> drawn_;  ///< in the order of the records
};

TEST_F(PhantomDeepLesion, EveryKeySliceIsReadWithItsLesions) {
  EXPECT_EQ(all_.records.size(), counts_.images);
  ASSERT_EQ(drawn_.size(), counts_.images);
  EXPECT_EQ(all_.patients(), 40U);
  EXPECT_TRUE(all_.skipped.empty());
  std::size_t lesions = 0;
  std::size_t noisy = 0;
  std::set<std::string> studies;
  for (std::size_t i = 0; i < drawn_.size(); ++i) {
    const DatasetRecord& record = all_.records[i];
    EXPECT_EQ(record.attributes.at("lesions"), std::to_string(drawn_[i].lesions.size())) << record.key;
    EXPECT_NEAR(std::stod(record.attributes.at("pixel_spacing_mm")), drawn_[i].spacing_mm, 1e-5);
    lesions += drawn_[i].lesions.size();
    for (const auto& lesion : drawn_[i].lesions) noisy += lesion.is_noisy ? 1 : 0;
    studies.insert(record.study);
  }
  EXPECT_GT(lesions, drawn_.size()) << "some slices show two";
  EXPECT_GT(studies.size(), 40U) << "some patients have two studies";
  const Collector sure = collect("deeplesion", folder_ / "data");
  EXPECT_EQ(sure.skipped.contains("possibly_noisy") ? sure.skipped.at("possibly_noisy") : 0, noisy);
}

TEST_F(PhantomDeepLesion, HounsfieldUnitsComeBackExactly) {
  for (std::size_t i = 0; i < drawn_.size(); ++i) {
    const Image stored = load_image(all_.records[i].source.file);
    ASSERT_EQ(stored.pixels().size(), drawn_[i].image.pixels().size());
    for (std::size_t p = 0; p < stored.pixels().size(); ++p) {
      ASSERT_EQ(std::lround(stored.pixels()[p] * 65535.0) - 32768, std::lround(drawn_[i].image.pixels()[p]))
          << all_.records[i].key << " pixel " << p;
    }
  }
}

TEST_F(PhantomDeepLesion, BoxesAreFivePixelsWiderThanABrightLesion) {
  std::size_t in_lung = 0;
  std::size_t bright_in_lung = 0;
  for (std::size_t i = 0; i < drawn_.size(); ++i) {
    std::istringstream list(all_.records[i].attributes.at("boxes"));
    for (const auto& lesion : drawn_[i].lesions) {
      std::string text;
      ASSERT_TRUE(std::getline(list, text, '|'));
      std::istringstream numbers(text);
      std::array<double, 4> box{};
      for (double& number : box) numbers >> number;
      for (std::size_t c = 0; c < 4; ++c) EXPECT_NEAR(box[c], lesion.box()[c], 1e-3);
      const double x = (box[0] + box[2]) / 2;
      const double y = (box[1] + box[3]) / 2;
      const double width = box[2] - box[0] - 10;
      EXPECT_NEAR(std::max(width, box[3] - box[1] - 10), lesion.diameters[0], 0.3 * lesion.diameters[0]);
      const double level = testing::mean_in(drawn_[i].image, x - 1, y - 1, x + 2, y + 2);
      if (lesion.type == phantom::LesionType::lung) {
        ++in_lung;
        bright_in_lung += level > -750 ? 1 : 0;
      } else {
        EXPECT_GT(level, 200) << all_.records[i].key << ": a node or a vertebra's spot is dense";
      }
    }
  }
  EXPECT_GE(in_lung, 15U);
  EXPECT_GE(bright_in_lung, in_lung * 9 / 10) << "but for the faintest ground glass, of " << in_lung;
}

TEST_F(PhantomDeepLesion, TypesAreGivenOutsideOfTheTrainingPartOnly) {
  std::set<std::string> labels;
  std::set<OfficialSplit> parts;
  for (const DatasetRecord& record : all_.records) {
    parts.insert(record.official);
    EXPECT_EQ(record.labels.empty(), record.official == OfficialSplit::train) << record.key;
    labels.insert(record.labels.begin(), record.labels.end());
  }
  EXPECT_EQ(parts.size(), 3U);
  EXPECT_EQ(labels, (std::set<std::string>{"bone", "lung", "mediastinum"}));
}

TEST_F(PhantomDeepLesion, TheHeaderIsThePublishedOne) {
  REQUIRE_DATA("tables/deeplesion/DL_info_FIXTURE.csv");
  const std::string published = read_text(testing::data_folder() / "tables/deeplesion/DL_info_FIXTURE.csv");
  const std::string written = read_text(folder_ / "data/DL_info.csv");
  EXPECT_EQ(written.substr(0, written.find('\n')), published.substr(0, published.find('\n')));
}

}  // namespace
}  // namespace medretrieval::imaging
