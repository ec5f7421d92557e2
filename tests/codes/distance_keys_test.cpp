#include "codes/distance_keys.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/random.hpp"

namespace medretrieval::detail {
namespace {

TEST(DistanceKeys, AreInTheOrderOfTheDistances) {
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> ascending = {
      -infinity, -1e38F,  -2, -1, -1e-30F, -1e-45F, 0, 1e-45F, 1e-30F, 1, std::nextafter(1.0F, 2.0F),
      3e38F,     infinity};
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    EXPECT_EQ(distance_of(key_of(ascending[i])), ascending[i]);
    if (i > 0) {
      EXPECT_LT(key_of(ascending[i - 1]), key_of(ascending[i]));
    }
  }
  EXPECT_EQ(key_of(-0.0F), key_of(0.0F));
}

TEST(DistanceKeys, TheCutHoldsAsManyAsAskedFor) {
  Random random(5);
  for (const std::size_t size : {1U, 2U, 5U, 64U, 300U, 1500U}) {
    for (const std::uint64_t distinct : {std::uint64_t{1}, std::uint64_t{4}, std::uint64_t{1} << 40}) {
      std::vector<std::int32_t> keys;
      for (std::size_t i = 0; i < size; ++i) {
        const double value = static_cast<double>(random.below(distinct)) * (i % 50 == 7 ? 1e20 : 1) - 1;
        keys.push_back(key_of(static_cast<float>(value)));
      }
      auto sorted = keys;
      std::sort(sorted.begin(), sorted.end());
      for (const std::size_t wanted : {std::size_t{1}, size / 3 + 1, size}) {
        const auto exact = cut_keys(keys, wanted, wanted);
        EXPECT_GE(exact.bound, sorted[wanted - 1]);
        if (exact.count > wanted) {
          EXPECT_EQ(exact.bound, sorted[wanted - 1]);
        }
        EXPECT_EQ(exact.count,
                  static_cast<std::size_t>(std::upper_bound(sorted.begin(), sorted.end(), exact.bound) -
                                           sorted.begin()));
        const auto rough = cut_keys(keys, wanted, wanted + size / 10);
        EXPECT_GE(rough.count, wanted);
        EXPECT_EQ(rough.count,
                  static_cast<std::size_t>(std::upper_bound(sorted.begin(), sorted.end(), rough.bound) -
                                           sorted.begin()));
        if (rough.count > wanted + size / 10) {
          EXPECT_EQ(rough.bound, sorted[wanted - 1]);
        }
      }
    }
  }
}

TEST(DistanceKeys, ACutBelowZeroIsOneOfADistance) {
  std::vector<std::int32_t> keys(10, key_of(-1e-45F));
  keys.insert(keys.end(), 2, key_of(0.0F));
  for (const std::size_t most : {10U, 11U}) {
    const auto cut = cut_keys(keys, 10, most);
    EXPECT_EQ(key_of(distance_of(cut.bound)), cut.bound);
    EXPECT_EQ(cut.count, 10U);
  }
}

}  // namespace
}  // namespace medretrieval::detail
