#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <medretrieval/imaging/phantom.hpp>
#include <set>

#include "base/parallel_for.hpp"
#include "imaging/phantom_support.hpp"
#include "support/expect_error.hpp"

namespace medretrieval::imaging {
namespace {

using testing::checksum;
using testing::coarse_distance;
using testing::xray_options;

class EveryKind : public ::testing::TestWithParam<PhantomKind> {
 protected:
  PhantomOptions options() const {
    PhantomOptions options;
    options.kind = GetParam();
    return options;
  }
};

INSTANTIATE_TEST_SUITE_P(Phantom, EveryKind,
                         ::testing::Values(PhantomKind::chest_ct, PhantomKind::chest_xray));

// Pixels are promised to be the same on every machine: a changed number here is a changed phantom.
TEST(Phantom, HasTheChecksumsItAlwaysHad) {
  const PhantomOptions ct;
  PhantomOptions whole;
  whole.region_mm = 0;
  EXPECT_EQ(checksum(draw_phantom(ct, 0, 0).image), 3947077520425444133U);
  EXPECT_EQ(checksum(draw_phantom(ct, 7, 2).image), 13352796987212325669U);
  EXPECT_EQ(checksum(draw_phantom(whole, 3, 1).image), 17481016088620442405U);
  EXPECT_EQ(checksum(draw_phantom(xray_options(), 0, 0).image), 10728593905997119198U);
  EXPECT_EQ(checksum(draw_phantom(xray_options(), 20, 1).image), 2218765060467310777U);
}

TEST_P(EveryKind, IsTheSameInAnyOrderOnAnyThread) {
  constexpr std::size_t kImages = 12;
  std::vector<std::uint64_t> forwards(kImages);
  for (std::size_t i = 0; i < kImages; ++i) {
    forwards[i] = checksum(draw_phantom(options(), i / 3, i % 3).image);
  }
  std::vector<std::uint64_t> backwards(kImages);
  detail::parallel_for(kImages, 4, [&](std::size_t i) {
    const std::size_t image = kImages - 1 - i;
    backwards[image] = checksum(draw_phantom(options(), image / 3, image % 3).image);
  });
  EXPECT_EQ(forwards, backwards);
}

TEST_P(EveryKind, DoesNotDependOnHowManyThereAre) {
  PhantomOptions more = options();
  more.patients = 10'000;
  more.images_per_patient = 64;
  const PhantomImage few = draw_phantom(options(), 5, 2);
  const PhantomImage many = draw_phantom(more, 5, 2);
  EXPECT_EQ(checksum(few.image), checksum(many.image));
  EXPECT_EQ(few.patient, many.patient);
  EXPECT_EQ(few.date, many.date);
  EXPECT_EQ(few.attributes, many.attributes);
}

TEST_P(EveryKind, DiffersBySeedPatientAndIndex) {
  PhantomOptions other_seed = options();
  other_seed.seed = 2;
  const std::set<std::uint64_t> sums = {
      checksum(draw_phantom(options(), 1, 1).image), checksum(draw_phantom(other_seed, 1, 1).image),
      checksum(draw_phantom(options(), 2, 1).image), checksum(draw_phantom(options(), 1, 2).image)};
  EXPECT_EQ(sums.size(), 4U);
}

TEST_P(EveryKind, StaysInItsUnit) {
  const bool is_ct = GetParam() == PhantomKind::chest_ct;
  for (std::size_t patient = 0; patient < 10; ++patient) {
    const Image image = draw_phantom(options(), patient, 0).image;
    EXPECT_EQ(image.unit(), is_ct ? PixelUnit::hounsfield : PixelUnit::display);
    const auto [low, high] = std::minmax_element(image.pixels().begin(), image.pixels().end());
    EXPECT_GE(*low, is_ct ? -1024.0F : 0.0F);
    EXPECT_LE(*high, is_ct ? 3071.0F : 1.0F);
    EXPECT_GT(*high - *low, is_ct ? 700.0F : 0.5F);  // not blank
    if (is_ct) {
      EXPECT_TRUE(std::all_of(image.pixels().begin(), image.pixels().end(),
                              [](float value) { return value == std::nearbyint(value); }));
    }
  }
}

TEST_P(EveryKind, SaysThatItIsSyntheticAndIsDescribedInFull) {
  const PhantomImage first = draw_phantom(options(), 0, 0);
  for (std::size_t patient = 0; patient < 6; ++patient) {
    for (std::size_t index = 0; index < 3; ++index) {
      const PhantomImage drawn = draw_phantom(options(), patient, index);
      EXPECT_THAT(drawn.patient, ::testing::StartsWith("SYNTHETIC-"));
      EXPECT_THAT(drawn.study, ::testing::StartsWith(drawn.patient + "-S"));
      EXPECT_THAT(drawn.date, ::testing::MatchesRegex("20[12][0-9]-[01][0-9]-[0-3][0-9]"));
      EXPECT_EQ(drawn.index, index);
      EXPECT_FALSE(drawn.labels.empty());
      ASSERT_EQ(drawn.attributes.size(), first.attributes.size());
      for (const auto& [name, value] : drawn.attributes) {
        EXPECT_TRUE(first.attributes.contains(name)) << name;
        EXPECT_TRUE(std::isfinite(value)) << name;
      }
    }
  }
}

TEST(Phantom, SlicesAreOneStudyAndRadiographsFollowEachOther) {
  const PhantomImage slice = draw_phantom({}, 4, 0);
  const PhantomImage next_slice = draw_phantom({}, 4, 1);
  EXPECT_EQ(slice.study, next_slice.study);
  EXPECT_EQ(slice.date, next_slice.date);
  for (std::size_t patient = 0; patient < 20; ++patient) {
    const PhantomImage first = draw_phantom(xray_options(), patient, 0);
    const PhantomImage second = draw_phantom(xray_options(), patient, 1);
    EXPECT_NE(first.study, second.study);
    EXPECT_LT(first.date, second.date);
    EXPECT_LE(first.attributes.at("age"), second.attributes.at("age"));
  }
}

TEST_P(EveryKind, ImagesOfAPatientResembleEachOther) {
  constexpr std::size_t kPatients = 20;
  double same = 0;
  double other = 0;
  std::vector<Image> first;
  for (std::size_t patient = 0; patient < kPatients; ++patient) {
    first.push_back(draw_phantom(options(), patient, 0).image);
    same += coarse_distance(first.back(), draw_phantom(options(), patient, 1).image);
  }
  for (std::size_t patient = 0; patient < kPatients; ++patient) {
    other += coarse_distance(first[patient], first[(patient + 1) % kPatients]);
  }
  EXPECT_LT(same, 0.7 * other);
}

TEST_P(EveryKind, MorePixelsShowTheSameAnatomy) {
  PhantomOptions fine = options();
  fine.side = 512;
  for (std::size_t patient = 0; patient < 4; ++patient) {
    const PhantomImage drawn = draw_phantom(options(), patient, 0);
    const PhantomImage finer = draw_phantom(fine, patient, 0);
    EXPECT_EQ(finer.image.width(), 512U);
    EXPECT_EQ(drawn.labels, finer.labels);
    const double between_patients =
        coarse_distance(drawn.image, draw_phantom(options(), patient + 1, 0).image);
    EXPECT_LT(coarse_distance(drawn.image, finer.image), 0.3 * between_patients);
  }
}

TEST(Phantom, HasASideOfItsOwnUnlessToldOtherwise) {
  PhantomOptions options;
  EXPECT_EQ(draw_phantom(options, 0, 0).image.width(), 128U);
  options.region_mm = 0;
  EXPECT_EQ(draw_phantom(options, 0, 0).image.width(), 256U);
  options.side = 65;
  EXPECT_EQ(draw_phantom(options, 0, 0).image.width(), 65U);
  EXPECT_EQ(draw_phantom(options, 0, 0).image.height(), 65U);
  EXPECT_EQ(draw_phantom(xray_options(), 0, 0).image.width(), 256U);
}

TEST(Phantom, NamesWhatIsOutOfRange) {
  const auto with = [](auto change) {
    PhantomOptions options;
    change(options);
    return options;
  };
  EXPECT_ERROR(with([](auto& o) { o.patients = 0; }).validate(), invalid_argument,
               "patients must be 1 to 1000000, got 0");
  EXPECT_ERROR(with([](auto& o) { o.patients = 1'000'001; }).validate(), invalid_argument, "got 1000001");
  EXPECT_ERROR(with([](auto& o) { o.images_per_patient = 65; }).validate(), invalid_argument,
               "images_per_patient must be 1 to 64, got 65");
  EXPECT_ERROR(with([](auto& o) { o.side = 63; }).validate(), invalid_argument,
               "side must be 64 to 1024, got 63");
  EXPECT_ERROR(with([](auto& o) { o.side = 1025; }).validate(), invalid_argument, "got 1025");
  EXPECT_ERROR(with([](auto& o) { o.region_mm = 23; }).validate(), invalid_argument,
               "region_mm must be 0 or 24 to 200, got 23");
  EXPECT_ERROR(with([](auto& o) { o.region_mm = std::nan(""); }).validate(), invalid_argument, "nan");
  EXPECT_ERROR(draw_phantom(with([](auto& o) { o.side = 2000; }), 0, 0), invalid_argument, "side");
  EXPECT_ERROR(draw_phantom({}, 400, 0), invalid_argument, "patient must be below 400, got 400");
  EXPECT_ERROR(draw_phantom({}, 0, 3), invalid_argument, "index must be below 3, got 3");
  EXPECT_NO_THROW(with([](auto& o) { o.region_mm = 200; }).validate());
}

}  // namespace
}  // namespace medretrieval::imaging
