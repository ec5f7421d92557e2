#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <medretrieval/imaging/phantom_dataset.hpp>
#include <sstream>

#include "imaging/dataset_support.hpp"
#include "imaging/jpeg_write.hpp"

namespace medretrieval::imaging {
namespace {

class PhantomCheXpert : public ::testing::Test {
 protected:
  void SetUp() override {
    PhantomDatasetOptions options;
    options.patients = 30;
    options.side = 96;
    counts_ = write_phantom_dataset("chexpert", folder_ / "data", options);
  }

  /// How often each mark stands in the 14 columns of a table.
  std::map<std::string, std::size_t> marks(const std::string& table) const {
    std::map<std::string, std::size_t> counts;
    std::istringstream lines(read_text(folder_ / "data" / table));
    std::string line;
    std::getline(lines, line);
    while (std::getline(lines, line)) {
      std::istringstream fields(line + ",");
      std::string field;
      for (int column = 0; std::getline(fields, field, ','); ++column) {
        if (column >= 5) ++counts[field];
      }
    }
    return counts;
  }

  std::size_t labels_with(const std::string& policy) const {
    std::size_t labels = 0;
    const Collector all = collect("chexpert", folder_ / "data", {{"uncertain", policy}});
    for (const DatasetRecord& record : all.records) labels += record.labels.size();
    return labels;
  }

  testing::TemporaryFolder folder_;
  PhantomDatasetCounts counts_;
};

TEST_F(PhantomCheXpert, EveryStudyIsReadFromItsPart) {
  const Collector all = collect("chexpert", folder_ / "data");
  EXPECT_EQ(all.records.size(), counts_.images);
  EXPECT_EQ(all.patients(), 30U);
  EXPECT_TRUE(all.skipped.empty());
  std::map<std::string, std::size_t> studies;
  for (const DatasetRecord& record : all.records) {
    ++studies[record.patient];
    const bool is_validation = std::stoi(record.patient.substr(7)) % 5 == 0;
    EXPECT_EQ(record.official, is_validation ? OfficialSplit::validation : OfficialSplit::train);
    const Image image = load_source(record.source);
    EXPECT_EQ(image.width(), 96U);
    EXPECT_GT(*std::max_element(image.pixels().begin(), image.pixels().end()), 0.6F);
  }
  std::size_t several = 0;
  for (const auto& [patient, count] : studies) several += count > 1 ? 1 : 0;
  EXPECT_GE(several, 10U) << "patients with several studies";
}

TEST_F(PhantomCheXpert, AllFourMarksInTrainingAndTwoInValidation) {
  const auto training = marks("train.csv");
  EXPECT_EQ(training.size(), 4U);
  for (const char* mark : {"1.0", "0.0", "-1.0", ""}) EXPECT_GE(training.at(mark), 3U) << mark;
  const auto validation = marks("valid.csv");
  EXPECT_EQ(validation.size(), 2U) << "read by radiologists: there or not";
  EXPECT_TRUE(validation.contains("1.0") && validation.contains("0.0"));
}

TEST_F(PhantomCheXpert, PoliciesMakeADifference) {
  const std::size_t uncertain = marks("train.csv").at("-1.0");
  EXPECT_EQ(labels_with("ones"), labels_with("zeros") + uncertain);
  EXPECT_EQ(labels_with("class"), labels_with("ones"));
  const Collector certain = collect("chexpert", folder_ / "data", {{"uncertain", std::string("ignore")}});
  EXPECT_GE(certain.skipped.at("uncertain_labels"), 1U);
  EXPECT_EQ(certain.records.size() + certain.skipped.at("uncertain_labels"), counts_.images);
}

TEST_F(PhantomCheXpert, HeadersAreThePublishedOnes) {
  REQUIRE_DATA("tables/chexpert/train_SYNTHETIC.csv");
  const std::string published = read_text(testing::data_folder() / "tables/chexpert/train_SYNTHETIC.csv");
  for (const char* name : {"train.csv", "valid.csv"}) {
    const std::string written = read_text(folder_ / "data" / name);
    EXPECT_EQ(written.substr(0, written.find('\n')), published.substr(0, published.find('\n'))) << name;
  }
}

TEST(JpegWrite, ComesBackAlmostAsItWas) {
  Image image(40, 24, PixelUnit::display);
  for (std::size_t y = 0; y < 24; ++y) {
    for (std::size_t x = 0; x < 40; ++x) image.at(x, y) = static_cast<float>(x + y) / 62;
  }
  image.at(0, 0) = -3;
  const testing::TemporaryFolder folder;
  const auto bytes = encode_jpeg(image);
  testing::write_bytes(folder / "a.jpg", {bytes.begin(), bytes.end()});
  const Image read = load_image(folder / "a.jpg");
  ASSERT_EQ(read.width(), 40U);
  ASSERT_EQ(read.height(), 24U);
  image.at(0, 0) = 0;
  for (std::size_t i = 0; i < image.pixels().size(); ++i) {
    EXPECT_NEAR(read.pixels()[i], image.pixels()[i], 3.0 / 255) << i;
  }
  EXPECT_ERROR(encode_jpeg(Image()), invalid_argument, "non-empty");
  EXPECT_ERROR(encode_jpeg(Image(4, 4, PixelUnit::hounsfield)), invalid_argument, "display units");
}

}  // namespace
}  // namespace medretrieval::imaging
