#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <medretrieval/imaging/phantom.hpp>
#include <numeric>

#include "imaging/phantom_nodule.hpp"
#include "imaging/phantom_support.hpp"

namespace medretrieval::imaging {
namespace {

using phantom::NoduleRatings;

constexpr std::size_t kRatings = 6;

/// Each turned so that it grows with malignancy.
std::array<double, kRatings> suspicious(const NoduleRatings& ratings) {
  return {std::sqrt(ratings.diameter_mm),
          -ratings.margin,
          ratings.lobulation,
          ratings.spiculation,
          -ratings.texture,
          -ratings.calcification};
}

std::vector<NoduleRatings> many_ratings() {
  detail::Random random(11);
  std::vector<NoduleRatings> ratings(6000);
  for (NoduleRatings& drawn : ratings) drawn = phantom::draw_ratings(random);
  return ratings;
}

/// The share that the best threshold on `values` tells apart.
double best_accuracy(const std::vector<double>& values, const std::vector<bool>& positive) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  auto correct = std::count(positive.begin(), positive.end(), true);  // all called positive
  auto best = correct;
  for (const std::size_t i : order) {
    correct += positive[i] ? -1 : 1;
    best = std::max(best, correct);
  }
  return static_cast<double>(best) / static_cast<double>(values.size());
}

/// Mean HU within `radius` pixels of a place.
double disc_mean(const Image& image, double centre_x, double centre_y, double radius) {
  double sum = 0;
  double count = 0;
  for (std::size_t y = 0; y < image.height(); ++y) {
    for (std::size_t x = 0; x < image.width(); ++x) {
      if (std::hypot(static_cast<double>(x) - centre_x, static_cast<double>(y) - centre_y) > radius) continue;
      sum += image.at(x, y);
      count += 1;
    }
  }
  return sum / count;
}

/// Mean HU within `radius_mm` of the nodule's middle.
double nodule_mean(const PhantomImage& drawn, double radius_mm) {
  const auto& truth = drawn.attributes;
  return disc_mean(drawn.image, truth.at("nodule_x"), truth.at("nodule_y"),
                   radius_mm / truth.at("pixel_spacing_mm"));
}

TEST(PhantomCt, RatingsFollowMalignancy) {
  std::array<std::array<double, kRatings>, 6> sums{};
  std::array<double, 6> counts{};
  for (const NoduleRatings& ratings : many_ratings()) {
    const auto malignancy = static_cast<std::size_t>(ratings.malignancy);
    counts.at(malignancy) += 1;
    for (std::size_t i = 0; i < kRatings; ++i) sums.at(malignancy)[i] += suspicious(ratings)[i];
  }
  EXPECT_EQ(counts[0] + counts[3], 0);  // the undecided are not drawn
  const auto mean = [&](std::size_t malignancy, std::size_t i) {
    return sums[malignancy][i] / counts[malignancy];
  };
  for (std::size_t i = 0; i < kRatings; ++i) {
    EXPECT_LT(mean(1, i), mean(2, i)) << i;
    EXPECT_LT(mean(2, i), mean(4, i)) << i;
    EXPECT_LT(mean(4, i), mean(5, i)) << i;
  }
}

TEST(PhantomCt, RatingsStayInTheirRanges) {
  for (const NoduleRatings& ratings : many_ratings()) {
    EXPECT_GE(ratings.diameter_mm, 4);
    EXPECT_LE(ratings.diameter_mm, 26);
    for (const double rating : {ratings.margin, ratings.lobulation, ratings.spiculation, ratings.texture}) {
      EXPECT_GE(rating, 1);
      EXPECT_LE(rating, 5);
    }
    EXPECT_GE(ratings.calcification, 0);
    EXPECT_LE(ratings.calcification, 0.8);
  }
}

TEST(PhantomCt, ClassesAreSeparableButNotPerfectly) {
  const std::vector<NoduleRatings> drawn = many_ratings();
  std::vector<bool> malignant;
  for (const NoduleRatings& ratings : drawn) malignant.push_back(ratings.malignancy > 3);
  std::vector<double> together(drawn.size());
  for (std::size_t i = 0; i < kRatings; ++i) {
    std::vector<double> values;
    for (const NoduleRatings& ratings : drawn) values.push_back(suspicious(ratings)[i]);
    const double accuracy = best_accuracy(values, malignant);
    EXPECT_GT(accuracy, 0.65) << i;
    EXPECT_LT(accuracy, 0.92) << i;
    const double mean = std::accumulate(values.begin(), values.end(), 0.0) / 6000;
    double variance = 0;
    for (const double value : values) variance += (value - mean) * (value - mean) / 6000;
    for (std::size_t j = 0; j < values.size(); ++j) together[j] += (values[j] - mean) / std::sqrt(variance);
  }
  const double accuracy = best_accuracy(together, malignant);  // all ratings, equally weighted
  EXPECT_GT(accuracy, 0.84);
  EXPECT_LT(accuracy, 0.94);
}

TEST(PhantomCt, LabelSaysWhatMalignancySays) {
  int malignant = 0;
  constexpr std::size_t kPatients = 60;
  for (std::size_t patient = 0; patient < kPatients; ++patient) {
    const PhantomImage drawn = draw_phantom({}, patient, 0);
    ASSERT_EQ(drawn.labels.size(), 1U);
    EXPECT_EQ(drawn.labels[0], drawn.attributes.at("malignancy") < 3 ? "benign" : "malignant");
    malignant += drawn.labels[0] == "malignant" ? 1 : 0;
  }
  EXPECT_GT(malignant, 18);
  EXPECT_LT(malignant, 42);
}

TEST(PhantomCt, APatientHasOneNodule) {
  const auto first = draw_phantom({}, 9, 0).attributes;
  const auto second = draw_phantom({}, 9, 1).attributes;
  for (const char* name : {"malignancy", "diameter_mm", "margin", "lobulation", "spiculation", "texture",
                           "calcification", "pixel_spacing_mm"}) {
    EXPECT_EQ(first.at(name), second.at(name)) << name;
  }
  EXPECT_NE(first.at("slice_offset_mm"), second.at("slice_offset_mm"));
}

TEST(PhantomCt, NoduleIsBrighterThanLung) {
  for (std::size_t patient = 0; patient < 40; ++patient) {
    const PhantomImage drawn = draw_phantom({}, patient, 0);
    const auto& truth = drawn.attributes;
    const double mean = nodule_mean(drawn, 0.25 * truth.at("diameter_mm"));
    EXPECT_GT(mean, truth.at("texture") > 4.5 ? -150 : -760) << patient;
    std::vector<float> sorted(drawn.image.pixels().begin(), drawn.image.pixels().end());
    std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 4),
                     sorted.end());
    EXPECT_LT(sorted[sorted.size() / 4], -780) << patient;  // there is lung around it
  }
}

TEST(PhantomCt, LargerDiameterFillsMore) {
  std::vector<double> diameters;
  std::vector<double> means;
  for (std::size_t patient = 0; patient < 60; ++patient) {
    const PhantomImage drawn = draw_phantom({}, patient, 0);
    diameters.push_back(drawn.attributes.at("diameter_mm"));
    means.push_back(nodule_mean(drawn, 8));
  }
  EXPECT_GT(testing::correlation(diameters, means), 0.7);
}

TEST(PhantomCt, RegionIsCutAroundTheNodule) {
  PhantomOptions options;
  for (const double region : {24.0, 40.0, 120.0}) {
    options.region_mm = region;
    const PhantomImage drawn = draw_phantom(options, 2, 0);
    const double spacing = drawn.attributes.at("pixel_spacing_mm");
    EXPECT_DOUBLE_EQ(spacing, region / 128);
    EXPECT_LT(std::abs(drawn.attributes.at("nodule_x") - 63.5) * spacing, 1.5);
    EXPECT_LT(std::abs(drawn.attributes.at("nodule_y") - 63.5) * spacing, 1.5);
  }
}

TEST(PhantomCt, WholeSliceHasTwoLungsInABodyInAir) {
  PhantomOptions options;
  options.region_mm = 0;
  for (std::size_t patient = 0; patient < 10; ++patient) {
    const PhantomImage drawn = draw_phantom(options, patient, 0);
    const auto share = [&](std::size_t left, std::size_t right, double low, double high) {
      double count = 0;
      for (std::size_t y = 0; y < 256; ++y) {
        for (std::size_t x = left; x < right; ++x) {
          count += drawn.image.at(x, y) > low && drawn.image.at(x, y) < high ? 1 : 0;
        }
      }
      return count / (256.0 * static_cast<double>(right - left));
    };
    EXPECT_LT(disc_mean(drawn.image, 6, 6, 5), -950) << patient;
    EXPECT_GT(share(0, 128, -920, -700), 0.1) << patient;
    EXPECT_GT(share(128, 256, -920, -700), 0.1) << patient;
    EXPECT_GT(share(0, 256, -150, 300), 0.2) << patient;
    EXPECT_GT(share(0, 256, 350, 3071), 0.003) << patient;  // bone
    EXPECT_LT(share(0, 256, 350, 3071), 0.06) << patient;
  }
}

}  // namespace
}  // namespace medretrieval::imaging
