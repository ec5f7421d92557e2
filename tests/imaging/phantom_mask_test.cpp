// The masks of phantoms against what is drawn.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <medretrieval/imaging/phantom.hpp>
#include <numeric>

#include "imaging/phantom_draw.hpp"
#include "imaging/phantom_findings.hpp"
#include "imaging/phantom_nodule.hpp"
#include "imaging/phantom_support.hpp"
#include "support/expect_error.hpp"

namespace medretrieval::imaging {
namespace {

using phantom::Canvas;
using phantom::Finding;
using testing::xray_options;

constexpr double kAir = -1000;

double area_of(const Image& mask) {
  return std::accumulate(mask.pixels().begin(), mask.pixels().end(), 0.0);
}

void expect_mask_of(const PhantomImage& drawn) {
  ASSERT_EQ(drawn.mask.width(), drawn.image.width());
  ASSERT_EQ(drawn.mask.height(), drawn.image.height());
  EXPECT_EQ(drawn.mask.unit(), PixelUnit::display);
  for (const float value : drawn.mask.pixels()) ASSERT_TRUE(value == 0 || value == 1) << value;
}

/// A solid nodule without calcium, so that its grey tells the share of a pixel that it covers.
phantom::Nodule solid_nodule(detail::Random& random, const phantom::ChestSlice& slice) {
  phantom::NoduleRatings ratings = phantom::draw_ratings(random);
  ratings.texture = 5;
  ratings.calcification = 0;
  return phantom::draw_nodule(ratings, slice, random);
}

TEST(PhantomMask, HoldsThePixelsThatThePaintedNoduleCoversByHalf) {
  detail::Random random(8);
  const phantom::Chest chest = phantom::draw_chest(random);
  const phantom::ChestSlice slice(chest, 0);
  for (int i = 0; i < 20; ++i) {
    const phantom::Nodule nodule = solid_nodule(random, slice);
    const double height = 0.2 * nodule.ratings.diameter_mm * (i % 3 - 1);
    Canvas canvas(96, {.centre = nodule.outline.centre, .field_mm = 48}, kAir);
    phantom::paint_nodule(nodule, height, chest.grain[0], canvas);
    const Image mask = phantom::nodule_mask(nodule, height, chest.grain[0], canvas);
    for (std::size_t pixel = 0; pixel < canvas.values().size(); ++pixel) {
      const double share = (canvas.values()[pixel] - kAir) / (nodule.solid - kAir);
      if (std::abs(share - 0.5) < 1e-9) continue;
      ASSERT_EQ(mask.pixels()[pixel] == 1, share > 0.5) << "nodule " << i << ", pixel " << pixel;
    }
  }
}

TEST(PhantomMask, FollowsTheNoduleOfTheImage) {
  for (std::size_t patient = 0; patient < 40; ++patient) {
    const PhantomImage drawn = draw_phantom({}, patient, patient % 3);
    expect_mask_of(drawn);
    const auto& truth = drawn.attributes;
    const auto at = [&](const char* name) { return static_cast<std::size_t>(std::lround(truth.at(name))); };
    EXPECT_EQ(drawn.mask.at(at("nodule_x"), at("nodule_y")), 1) << patient;
    const double spacing = truth.at("pixel_spacing_mm");
    const double disc = 3.14159 / 4 * truth.at("diameter_mm") * truth.at("diameter_mm");
    EXPECT_GT(area_of(drawn.mask) * spacing * spacing, 0.5 * disc) << patient;
    EXPECT_LT(area_of(drawn.mask) * spacing * spacing, 2.5 * disc) << patient;
  }
}

TEST(PhantomMask, ANoduleSmallerThanAPixelMarksOne) {
  PhantomOptions coarse;
  coarse.region_mm = 0;
  coarse.side = 64;
  double smallest = 1e9;
  for (std::size_t patient = 0; patient < 60; ++patient) {
    const double area = area_of(draw_phantom(coarse, patient, 0).mask);
    EXPECT_GE(area, 1) << patient;
    smallest = std::min(smallest, area);
  }
  EXPECT_EQ(smallest, 1) << "the case is there";
}

TEST(PhantomOffset, MovesTheNoduleAndNothingElse) {
  PhantomOptions moved;
  moved.offset_mm = 16;
  double sum = 0;
  double farthest = 0;
  int middles = 0;
  for (std::size_t patient = 0; patient < 40; ++patient) {
    const PhantomImage drawn = draw_phantom(moved, patient, 0);
    const PhantomImage centred = draw_phantom({}, patient, 0);
    EXPECT_EQ(drawn.labels, centred.labels);
    for (const char* name : {"diameter_mm", "slice_offset_mm", "noise_hu", "malignancy"}) {
      EXPECT_EQ(drawn.attributes.at(name), centred.attributes.at(name)) << name;
    }
    const double middle = 63.5;
    for (const char* name : {"nodule_x", "nodule_y"}) {
      const double off =
          std::abs(drawn.attributes.at(name) - middle) * drawn.attributes.at("pixel_spacing_mm");
      sum += off / 80;
      farthest = std::max(farthest, off);
    }
    EXPECT_GT(area_of(drawn.mask), 0);
    EXPECT_EQ(centred.mask.at(64, 64), 1) << patient;
    middles += drawn.mask.at(64, 64) == 1 ? 1 : 0;
  }
  EXPECT_GT(sum, 5);  // 8 when uniform up to 16
  EXPECT_LT(sum, 11);
  EXPECT_GT(farthest, 12);
  EXPECT_LT(farthest, 20) << "the middle stays in the image";
  EXPECT_LT(middles, 20) << "pointing at the middle does not pay";
}

TEST(PhantomOffset, NamesWhatIsOutOfRange) {
  PhantomOptions options;
  options.offset_mm = 16.1;
  EXPECT_ERROR(options.validate(), invalid_argument, "offset_mm must be 0 to 16, got 16.1");
  options.offset_mm = -1;
  EXPECT_ERROR(options.validate(), invalid_argument, "got -1");
  options.offset_mm = std::nan("");
  EXPECT_ERROR(options.validate(), invalid_argument, "nan");
  options.offset_mm = 5;
  options.region_mm = 0;
  EXPECT_ERROR(options.validate(), invalid_argument,
               "must be 0 where no region around a nodule is drawn, got 5");
  options = xray_options();
  options.offset_mm = 5;
  EXPECT_ERROR(options.validate(), invalid_argument, "got 5");
}

TEST(PhantomMask, OfRadiographsHasTheBoxesOfNodulesAndMassesAsItsEdges) {
  int compared = 0;
  for (std::size_t patient = 0; patient < 150; ++patient) {
    const PhantomImage drawn = draw_phantom(xray_options(), patient, 0);
    expect_mask_of(drawn);
    const auto boxes = phantom::chest_xray_boxes(xray_options(), patient, 0);
    const bool lumps_only =
        std::all_of(drawn.labels.begin(), drawn.labels.end(), [](const std::string& label) {
          return label == "Nodule" || label == "Mass" || label == "Cardiomegaly" || label == "No Finding";
        });
    if (!lumps_only) continue;
    EXPECT_EQ(area_of(drawn.mask) > 0, !boxes.empty()) << patient;
    for (const auto& box : boxes) {
      ++compared;
      double inside = 0;
      for (double y = box.top; y < box.top + box.height; ++y) {
        for (double x = box.left; x < box.left + box.width; ++x) {
          inside += drawn.mask.at(static_cast<std::size_t>(x), static_cast<std::size_t>(y));
        }
      }
      EXPECT_GT(inside, 0.6 * box.width * box.height) << patient;
      if (boxes.size() == 1) {
        EXPECT_EQ(inside, area_of(drawn.mask)) << patient;
        EXPECT_LT(inside, box.width * box.height) << "a body fills no box";
      }
    }
  }
  EXPECT_GT(compared, 5);
}

/// One finding painted over a whole chest.
class FindingMask : public ::testing::TestWithParam<Finding> {
 protected:
  FindingMask() {
    outline_.paint(before_);
    after_ = before_;
    phantom::Severities severities;
    severities[GetParam()] = 0.8;
    phantom::paint_findings(severities, course_, outline_, after_, mask_);
  }

  detail::Random random_{5};
  phantom::Thorax thorax_ = phantom::draw_thorax(random_);
  phantom::FindingCourse course_ = phantom::draw_course(random_);
  phantom::ThoraxOutline outline_{thorax_, {}};
  Canvas empty_{128, {.centre = {0, 0}, .field_mm = 330}, 0};
  phantom::Projection before_{empty_, empty_, empty_};
  phantom::Projection after_ = before_;
  Image mask_{128, 128, PixelUnit::display};
};

INSTANTIATE_TEST_SUITE_P(PhantomMask, FindingMask,
                         ::testing::Values(Finding::atelectasis, Finding::consolidation, Finding::effusion,
                                           Finding::mass, Finding::nodule, Finding::pneumothorax));

TEST_P(FindingMask, IsWhereSomethingWasPainted) {
  EXPECT_GT(area_of(mask_), 10);
  EXPECT_LT(area_of(mask_), 0.25 * 128 * 128);
  int changed = 0;
  for (std::size_t i = 0; i < mask_.pixels().size(); ++i) {
    if (mask_.pixels()[i] == 0) continue;
    changed += before_.tissue.values()[i] != after_.tissue.values()[i] ||
                       before_.lung.values()[i] != after_.lung.values()[i] ||
                       before_.vessels.values()[i] != after_.vessels.values()[i]
                   ? 1
                   : 0;
  }
  EXPECT_GT(changed, 0.97 * area_of(mask_));  // a body's edge has no thickness yet
}

TEST_P(FindingMask, HoldsTheLungThatFluidFillsByHalf) {
  if (GetParam() != Finding::effusion) return;
  for (std::size_t i = 0; i < mask_.pixels().size(); ++i) {
    const double lung = before_.lung.values()[i];
    if (lung < 0.6) continue;
    const double filled = 1 - after_.lung.values()[i] / lung;
    const double half = 0.93 * 0.5;
    if (course_.effusion_both || std::abs(filled - half) < 1e-9) continue;
    ASSERT_EQ(mask_.pixels()[i] == 1, filled > half) << i;
  }
}

TEST(PhantomMask, OfAnEnlargedHeartIsEmpty) {
  int hearts = 0;
  for (std::size_t patient = 0; patient < 150; ++patient) {
    const PhantomImage drawn = draw_phantom(xray_options(), patient, 0);
    if (drawn.labels != std::vector<std::string>{"Cardiomegaly"}) continue;
    ++hearts;
    EXPECT_EQ(area_of(drawn.mask), 0);
  }
  EXPECT_GT(hearts, 0);
}

}  // namespace
}  // namespace medretrieval::imaging
