#include "imaging/deidentify.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "imaging/dataset_support.hpp"

namespace medretrieval::imaging {
namespace {

std::vector<std::uint8_t> key_of(std::size_t bytes) {
  std::vector<std::uint8_t> key(bytes);
  std::iota(key.begin(), key.end(), std::uint8_t{0});
  return key;
}

TEST(IdDigest, IsHmacSha256OfPurposeAndId) {
  const IdDigest digest(key_of(16));
  EXPECT_EQ(digest.of("patient", "P7"), "92190b599dd3e43ed6dc8241c4f73b54");
  EXPECT_EQ(digest.of("study", "P7"), "6b984eb0ae91a04cf97ef29f85947fe5");
  EXPECT_NE(IdDigest(key_of(17)).of("patient", "P7"), digest.of("patient", "P7"));
}

TEST(IdDigest, ShortAndLongKeysAreRefused) {
  EXPECT_ERROR(IdDigest(key_of(15)), invalid_argument, "at least 16 bytes, got 15");
  const testing::TemporaryFolder folder;
  write_text(folder / "key", std::string(32, 'k'));
  EXPECT_EQ(IdDigest::from_file(folder / "key").of("a", "b").size(), 32U);
  write_text(folder / "key", std::string(5000, 'k'));
  EXPECT_ERROR(IdDigest::from_file(folder / "key"), limit_exceeded, "4096");
  EXPECT_ERROR(IdDigest::from_file(folder / "absent"), not_found, "absent");
}

TEST(DeidentifiedDate, ShiftsAllDatesOfAPatientAlike) {
  const IdDigest digest(key_of(16));
  const Date first = {2024, 3, 9};
  const Date second = {2024, 4, 9};
  const auto shifted = [&](const Date& date, const std::string& patient) {
    return deidentified_date(date, DatePolicy::shift, patient, &digest);
  };
  ASSERT_TRUE(shifted(first, "P7").has_value());
  EXPECT_EQ(first.to_days() - shifted(first, "P7")->to_days(), 1436);
  EXPECT_EQ(shifted(second, "P7")->to_days() - shifted(first, "P7")->to_days(), 31);
  EXPECT_NE(shifted(first, "P8"), shifted(first, "P7"));
  EXPECT_FALSE(shifted(first, "").has_value());
  EXPECT_FALSE(shifted({1, 1, 1}, "P7").has_value());
  EXPECT_FALSE(deidentified_date(first, DatePolicy::remove, "P7", &digest).has_value());
  EXPECT_EQ(deidentified_date(first, DatePolicy::keep, "P7", nullptr), first);
  EXPECT_FALSE(deidentified_date({}, DatePolicy::shift, "P7", &digest).has_value());
}

}  // namespace
}  // namespace medretrieval::imaging
