#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <medretrieval/imaging/phantom.hpp>

#include "imaging/phantom_findings.hpp"
#include "imaging/phantom_support.hpp"

namespace medretrieval::imaging {
namespace {

using phantom::Finding;
using phantom::kFindings;
using phantom::Severities;
using testing::xray_options;

double severity(const PhantomImage& drawn, std::size_t finding) {
  return drawn.attributes.at("severity_" + std::string(kFindings[finding].attribute));
}

TEST(PhantomXray, HalfHaveNoFindingAndEachFindingIsThere) {
  constexpr int kPatients = 4000;
  detail::Random random(3);
  std::map<std::string, int> counts;
  for (int i = 0; i < kPatients; ++i) {
    for (const std::string& label : finding_labels(phantom::draw_severities(random))) ++counts[label];
  }
  EXPECT_EQ(counts.size(), kFindings.size() + 1);
  for (const auto& [label, count] : counts) {
    const double share = static_cast<double>(count) / kPatients;
    EXPECT_NEAR(share, label == "No Finding" ? 0.5 : 0.107, 0.03) << label;
  }
}

TEST(PhantomXray, LabelsAreTheFindingsWithASeverity) {
  for (std::size_t patient = 0; patient < 60; ++patient) {
    const PhantomImage drawn = draw_phantom(xray_options(), patient, 0);
    std::vector<std::string> expected;
    for (std::size_t i = 0; i < kFindings.size(); ++i) {
      const double drawn_severity = severity(drawn, i);
      if (drawn_severity > 0) {
        expected.emplace_back(kFindings[i].label);
        EXPECT_GE(drawn_severity, 0.2);
        EXPECT_LE(drawn_severity, 1.0);
      }
    }
    if (expected.empty()) expected.emplace_back("No Finding");
    EXPECT_EQ(drawn.labels, expected);
  }
}

TEST(PhantomXray, FindingsLastUntilTheyHeal) {
  int lasted = 0;
  int healed = 0;
  for (std::size_t patient = 0; patient < 60; ++patient) {
    PhantomImage before = draw_phantom(xray_options(), patient, 0);
    for (std::size_t index = 1; index < 3; ++index) {
      const PhantomImage after = draw_phantom(xray_options(), patient, index);
      for (std::size_t i = 0; i < kFindings.size(); ++i) {
        if (severity(before, i) == 0) {
          EXPECT_EQ(severity(after, i), 0) << "nothing comes, or comes back";
        } else {
          ++(severity(after, i) > 0 ? lasted : healed);
        }
      }
      before = after;
    }
  }
  EXPECT_GT(healed, 0);
  EXPECT_GT(lasted, 5 * healed);
}

TEST(PhantomXray, CardiomegalyIsARatioOfMoreThanHalf) {
  int enlarged = 0;
  for (std::size_t patient = 0; patient < 80; ++patient) {
    const PhantomImage drawn = draw_phantom(xray_options(), patient, 0);
    const double ratio = drawn.attributes.at("cardiothoracic_ratio");
    if (severity(drawn, static_cast<std::size_t>(Finding::cardiomegaly)) > 0) {
      ++enlarged;
      EXPECT_GT(ratio, 0.52);
    } else {
      EXPECT_LT(ratio, 0.52);
    }
  }
  EXPECT_GT(enlarged, 2);
}

/// The widest heart against the widest lungs, as on a light box: in a band of rows above the diaphragm,
/// bright heart, dark lung and bright wall follow each other from the middle outwards.
double measured_ratio(const Image& image) {
  std::ptrdiff_t heart = 0;
  std::ptrdiff_t lungs = 0;
  for (const int step : {-1, 1}) {
    std::ptrdiff_t widest_heart = 0;
    std::ptrdiff_t widest_lung = 0;
    for (std::size_t row = 110; row < 172; ++row) {
      const auto grey = image.row(row);
      const auto [darkest, brightest] = std::minmax_element(grey.begin() + 40, grey.end() - 40);
      const float threshold = 0.55F * *brightest + 0.45F * *darkest;
      std::ptrdiff_t x = 0;
      const auto at = [&] { return grey[static_cast<std::size_t>(128 + step * x)]; };
      while (x < 120 && at() > threshold) ++x;
      widest_heart = std::max(widest_heart, x);
      while (x < 120 && at() <= threshold) ++x;
      widest_lung = std::max(widest_lung, x);
    }
    heart += widest_heart;
    lungs += widest_lung;
  }
  return static_cast<double>(heart) / static_cast<double>(lungs);
}

TEST(PhantomXray, CardiothoracicRatioCanBeMeasured) {
  std::vector<double> truth;
  std::vector<double> measured;
  for (std::size_t patient = 0; patient < 150; ++patient) {
    const PhantomImage drawn = draw_phantom(xray_options(), patient, 0);
    const bool heart_only =
        drawn.labels.size() == 1 && (drawn.labels[0] == "No Finding" || drawn.labels[0] == "Cardiomegaly");
    if (!heart_only) continue;
    truth.push_back(drawn.attributes.at("cardiothoracic_ratio"));
    measured.push_back(measured_ratio(drawn.image));
  }
  ASSERT_GT(truth.size(), 50U);
  EXPECT_GT(testing::correlation(truth, measured), 0.8);
}

/// What a finding does to a projection: the summed change of what rays cross.
class FindingChange : public ::testing::TestWithParam<Finding> {
 protected:
  double change(double severity_value) const {
    detail::Random random(5);
    const phantom::Thorax thorax = phantom::draw_thorax(random);
    const phantom::FindingCourse course = phantom::draw_course(random);
    const phantom::ThoraxOutline outline(thorax, {});
    const phantom::Canvas empty(128, {.centre = {0, 0}, .field_mm = 330}, 0);
    phantom::Projection before{empty, empty, empty};
    outline.paint(before);
    phantom::Projection after = before;
    Severities severities;
    severities[GetParam()] = severity_value;
    Image mask(empty.side(), empty.side(), PixelUnit::display);
    paint_findings(severities, course, outline, after, mask);
    double sum = 0;
    for (std::size_t i = 0; i < empty.values().size(); ++i) {
      sum += std::abs(after.tissue.values()[i] - before.tissue.values()[i]);
      sum += std::abs(after.lung.values()[i] - before.lung.values()[i]);
    }
    return sum;
  }
};

INSTANTIATE_TEST_SUITE_P(PhantomXray, FindingChange,
                         ::testing::Values(Finding::atelectasis, Finding::consolidation, Finding::effusion,
                                           Finding::mass, Finding::nodule, Finding::pneumothorax));

TEST_P(FindingChange, GrowsWithSeverity) {
  EXPECT_EQ(change(0), 0);
  EXPECT_GT(change(0.2), 1);
  EXPECT_GT(change(0.6), 1.2 * change(0.2));
  EXPECT_GT(change(1.0), 1.1 * change(0.6));
}

TEST(PhantomXray, LungsAreDarkBetweenABrightHeartAndABrightBelly) {
  for (std::size_t patient = 0; patient < 40; ++patient) {
    const PhantomImage drawn = draw_phantom(xray_options(), patient, 0);
    if (drawn.labels[0] != "No Finding") continue;
    const auto mean = [&](std::size_t left, std::size_t top) {
      double sum = 0;
      for (std::size_t y = top; y < top + 16; ++y) {
        for (std::size_t x = left; x < left + 16; ++x) sum += drawn.image.at(x, y) / 256.0;
      }
      return sum;
    };
    EXPECT_LT(mean(64, 100), 0.55) << patient;   // right lung
    EXPECT_LT(mean(180, 100), 0.55) << patient;  // left lung
    EXPECT_GT(mean(120, 160), mean(64, 100) + 0.2) << patient;
    EXPECT_GT(mean(70, 220), mean(64, 100) + 0.2) << patient;
  }
}

}  // namespace
}  // namespace medretrieval::imaging
