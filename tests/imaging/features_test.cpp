#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <medretrieval/imaging/features.hpp>
#include <medretrieval/imaging/manifest.hpp>
#include <nlohmann/json.hpp>

#include "base/random.hpp"
#include "imaging/binary_patterns.hpp"
#include "imaging/gradient_histogram.hpp"
#include "support/expect_error.hpp"
#include "support/make_images.hpp"
#include "support/test_data.hpp"

namespace medretrieval::imaging {
namespace {

using testing::TemporaryFolder;

Image noise(std::size_t width, std::size_t height, std::uint64_t seed) {
  detail::Random random(seed);
  Image image(width, height, PixelUnit::display);
  for (float& value : image.pixels()) value = static_cast<float>(random.uniform());
  return image;
}

std::vector<float> features_of(const Image& image, std::string_view parameters = "{}") {
  const auto extractor = make_feature_extractor("classical", parameters);
  std::vector<float> feature(extractor->dimension());
  extractor->extract(image, feature);
  return feature;
}

double distance(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return std::sqrt(sum);
}

TEST(FeatureRegistry, KnowsItsNames) {
  EXPECT_EQ(feature_extractor_names(), std::vector<std::string>{"classical"});
  EXPECT_ERROR(make_feature_extractor("modern"), not_found, "there are: classical");
}

TEST(FeatureRegistry, ParametersMakeTheSameExtractorAgain) {
  const auto made = make_feature_extractor("classical", R"({"side": 128})");
  EXPECT_EQ(made->name(), "classical");
  EXPECT_EQ(nlohmann::json::parse(made->parameters()), (nlohmann::json{{"side", 128}, {"cells", 4}}));
  const auto again = make_feature_extractor(made->name(), made->parameters());
  EXPECT_EQ(again->parameters(), made->parameters());
  EXPECT_EQ(again->dimension(), made->dimension());
}

TEST(FeatureRegistry, RefusesParametersItDoesNotHave) {
  const auto make = [](std::string_view parameters) {
    return make_feature_extractor("classical", parameters);
  };
  EXPECT_ERROR(make(R"({"sides": 64})"), invalid_argument, "no parameter \"sides\"");
  EXPECT_ERROR(make(R"({"side": 65})"), invalid_argument, "steps of 16");
  EXPECT_ERROR(make(R"({"side": 512})"), invalid_argument, "64 to 256");
  EXPECT_ERROR(make(R"({"side": "64"})"), invalid_argument, "\"64\"");
  EXPECT_ERROR(make(R"({"side": 64.5})"), invalid_argument, "64.5");
  EXPECT_ERROR(make(R"({"side": -64})"), invalid_argument, "-64");
  EXPECT_ERROR(make(R"({"cells": 5})"), invalid_argument, "2 to 4");
  EXPECT_ERROR(make("[]"), invalid_argument, "no JSON object");
  EXPECT_ERROR(make("{"), invalid_argument, "no JSON object");
}

TEST(ClassicalFeatures, HaveADimensionForProductQuantization) {
  for (const int cells : {2, 3, 4}) {
    const auto extractor = make_feature_extractor("classical", nlohmann::json{{"cells", cells}}.dump());
    EXPECT_EQ(extractor->dimension() % 16, 0U);
    EXPECT_LE(extractor->dimension(), 512U);
  }
}

TEST(ClassicalFeatures, AreFiniteAndOfModestNormForEveryShape) {
  for (const auto& [width, height] :
       {std::pair<std::size_t, std::size_t>{1, 1}, {3, 1}, {50, 50}, {317, 640}}) {
    for (const char* parameters : {"{}", R"({"side": 64, "cells": 2})", R"({"side": 256, "cells": 3})"}) {
      double squares = 0;
      for (const float value : features_of(noise(width, height, 3), parameters)) {
        ASSERT_TRUE(std::isfinite(value));
        squares += value * value;
      }
      EXPECT_LE(squares, 5.0);
      EXPECT_GE(squares, 1.0);
    }
  }
  for (const float value : features_of(Image(20, 20, PixelUnit::display))) ASSERT_TRUE(std::isfinite(value));
}

TEST(ClassicalFeatures, RefuseWhatIsNoDisplayImage) {
  const auto extractor = make_feature_extractor("classical");
  std::vector<float> feature(extractor->dimension());
  EXPECT_ERROR(extractor->extract(Image(), feature), invalid_argument, "non-empty");
  EXPECT_ERROR(extractor->extract(Image(8, 8, PixelUnit::hounsfield), feature), invalid_argument, "display");
  EXPECT_ERROR(extractor->extract(noise(8, 8, 1), std::span(feature).first(5)), invalid_argument,
               "room for 5");
  Image broken = noise(8, 8, 1);
  broken.at(3, 3) = std::nanf("");
  EXPECT_ERROR(extractor->extract(broken, feature), invalid_argument, "nan");
  broken.at(3, 3) = 1.5F;
  EXPECT_ERROR(extractor->extract(broken, feature), invalid_argument, "1.5");
}

TEST(ClassicalFeatures, ChangeLittleWithSizeAndBrightnessAndMuchWithContent) {
  Image disc(200, 200, PixelUnit::display);
  Image large(400, 400, PixelUnit::display);
  Image brighter = disc;
  Image bars = disc;
  for (std::size_t y = 0; y < 400; ++y) {
    for (std::size_t x = 0; x < 400; ++x) {
      const double radius = std::hypot(static_cast<double>(x) - 199.5, static_cast<double>(y) - 199.5);
      large.at(x, y) = radius < 120 ? 0.8F : 0.1F;
      if (x % 2 != 0 || y % 2 != 0) continue;
      disc.at(x / 2, y / 2) = large.at(x, y);
      brighter.at(x / 2, y / 2) = large.at(x, y) * 0.95F + 0.03F;
      bars.at(x / 2, y / 2) = x / 40 % 2 == 0 ? 0.8F : 0.1F;
    }
  }
  const auto reference = features_of(disc);
  EXPECT_LT(distance(reference, features_of(large)), 0.3 * distance(reference, features_of(bars)));
  EXPECT_LT(distance(reference, features_of(brighter)), 0.5 * distance(reference, features_of(bars)));
}

TEST(GradientHistogram, VotesForTheDirectionOfAnEdge) {
  Image ramp(32, 32, PixelUnit::display);
  for (std::size_t y = 0; y < 32; ++y) {
    for (std::size_t x = 0; x < 32; ++x) ramp.at(x, y) = static_cast<float>(x) / 31;
  }
  std::vector<float> histogram(gradient_histogram_size(2));
  gradient_histogram(ramp, 2, histogram);
  double squares = 0;
  for (std::size_t i = 0; i < histogram.size(); ++i) {
    squares += histogram[i] * histogram[i];
    EXPECT_EQ(histogram[i] > 0, i % kGradientDirections == 0) << i;  // grows to the right: direction 0
  }
  EXPECT_NEAR(squares, 1, 0.01);
}

TEST(PatternHistogram, CountsArcsOfBrighterNeighbours) {
  Image corner(5, 5, PixelUnit::display);
  std::vector<float> histogram(kPatternBins);
  pattern_histogram(corner, 1, histogram);
  EXPECT_EQ(histogram[0], 1.0F);  // flat: no brighter neighbour
  corner.at(2, 2) = 1;            // a dot: dark for itself, one bright neighbour for the eight around it
  pattern_histogram(corner, 1, histogram);
  EXPECT_FLOAT_EQ(histogram[0], std::sqrt(1 / 9.0F));
  EXPECT_FLOAT_EQ(histogram[1], std::sqrt(8 / 9.0F));
  for (std::size_t i = 0; i < 25; ++i) corner.pixels()[i] = i % 2 == 0 ? 1.0F : 0.0F;
  pattern_histogram(corner, 1, histogram);
  EXPECT_FLOAT_EQ(histogram[9], std::sqrt(4 / 9.0F));  // bright neighbours left, right, above, below
}

class ExtractFeatures : public ::testing::Test {
 protected:
  void SetUp() override {
    for (std::uint64_t i = 0; i < 12; ++i) {
      files_.push_back(folder_ / ("image" + std::to_string(i) + ".png"));
      write_png(noise(60, 40, i), files_.back());
    }
  }

  TemporaryFolder folder_;
  std::vector<std::filesystem::path> files_;
  std::unique_ptr<FeatureExtractor> extractor_ = make_feature_extractor("classical");
};

TEST_F(ExtractFeatures, RowsAreTheFilesOnAnyThreadCount) {
  const Matrix one = extract_features(*extractor_, files_, {}, 1);
  ASSERT_EQ(one.rows(), files_.size());
  EXPECT_TRUE(std::ranges::equal(one.row(5), features_of(load_image(files_[5]))));
  for (const int threads : {2, 4, 0}) {
    const Matrix many = extract_features(*extractor_, files_, {}, threads);
    for (std::size_t i = 0; i < files_.size(); ++i) ASSERT_TRUE(std::ranges::equal(one.row(i), many.row(i)));
  }
  EXPECT_EQ(extract_features(*extractor_, {}).rows(), 0U);
}

TEST_F(ExtractFeatures, TheFirstBrokenFileIsReported) {
  testing::write_bytes(files_[3], testing::ByteVector{1, 2, 3});
  std::filesystem::remove(files_[7]);
  for (int round = 0; round < 5; ++round) {
    for (const int threads : {1, 4}) {
      EXPECT_ERROR(extract_features(*extractor_, files_, {}, threads), unsupported, "image3.png");
    }
  }
}

TEST_F(ExtractFeatures, OptionsReachTheLoader) {
  LoadOptions options;
  options.frame = 1;
  EXPECT_ERROR(extract_features(*extractor_, files_, options), invalid_argument, "image0.png");
}

TEST_F(ExtractFeatures, ReportsAndCanBeCancelled) {
  std::size_t last = 0;
  const auto count = [&](const ProgressReport& report) {
    EXPECT_EQ(report.done, last + 1);
    EXPECT_EQ(report.total, files_.size());
    last = report.done;
    return true;
  };
  extract_features(*extractor_, files_, {}, 3, count);
  EXPECT_EQ(last, files_.size());
  const auto cancel = [](const ProgressReport& report) { return report.done < 2; };
  EXPECT_ERROR(extract_features(*extractor_, files_, {}, 3, cancel), cancelled, "cancelled");
}

// Not a benchmark: it fails when an extractor no longer tells images apart.
TEST(RealFeatures, FindTheSameModalityAgain) {
  REQUIRE_DATA("mednist/manifest.csv");
  const auto folder = testing::data_folder() / "mednist";
  const Manifest manifest = read_manifest(folder, folder / "manifest.csv");
  std::vector<std::filesystem::path> files;
  std::vector<std::string> labels;
  for (std::size_t i = 0; i < manifest.rows.size(); i += 4) {
    if (manifest.rows[i].split == "query") continue;
    files.push_back(manifest.rows[i].file);
    labels.push_back(manifest.rows[i].labels.at(0));
  }
  const Matrix features = extract_features(*make_feature_extractor("classical"), files);
  std::size_t hits = 0;
  for (std::size_t a = 0; a < files.size(); ++a) {
    std::pair<double, std::size_t> nearest = {1e9, 0};
    for (std::size_t b = 0; b < files.size(); ++b) {
      double sum = 0;
      for (std::size_t k = 0; k < features.cols(); ++k) sum += std::pow(features(a, k) - features(b, k), 2);
      if (a != b) nearest = std::min(nearest, {sum, b});
    }
    hits += labels[a] == labels[nearest.second] ? 1 : 0;
  }
  EXPECT_GE(static_cast<double>(hits) / static_cast<double>(files.size()), 0.98);
}

}  // namespace
}  // namespace medretrieval::imaging
