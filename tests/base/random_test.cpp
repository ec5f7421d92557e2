#include "base/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "base/portable_math.hpp"

namespace medretrieval::detail {
namespace {

TEST(Random, IsTheSameEverywhere) {
  Random random(1);
  // Golden values: a change here would change every trained encoder.
  EXPECT_EQ(random.next(), 12966619160104079557ULL);
  EXPECT_EQ(random.next(), 9600361134598540522ULL);
  Random again(1);
  EXPECT_EQ(again.next(), 12966619160104079557ULL);
}

TEST(Random, NormalHasMeanZeroAndVarianceOne) {
  Random random(7);
  double sum = 0;
  double squares = 0;
  constexpr int kCount = 200000;
  for (int i = 0; i < kCount; ++i) {
    const double x = random.normal();
    sum += x;
    squares += x * x;
  }
  EXPECT_NEAR(sum / kCount, 0, 0.01);
  EXPECT_NEAR(squares / kCount, 1, 0.02);
}

TEST(Random, BelowStaysBelowAndReachesEveryValue) {
  Random random(3);
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(random.below(7));
  EXPECT_EQ(seen.size(), 7U);
  EXPECT_LT(*seen.rbegin(), 7U);
}

TEST(Random, SamplesAreDistinctSortedAndComplete) {
  Random random(5);
  for (std::size_t count : {0U, 1U, 50U, 99U, 100U, 200U}) {
    const auto sample = sample_without_replacement(100, count, random);
    EXPECT_EQ(sample.size(), std::min<std::size_t>(count, 100));
    EXPECT_TRUE(std::is_sorted(sample.begin(), sample.end()));
    EXPECT_EQ(std::set<std::size_t>(sample.begin(), sample.end()).size(), sample.size());
    for (const auto value : sample) EXPECT_LT(value, 100U);
  }
}

TEST(PortableMath, AgreesWithTheCLibrary) {
  Random random(11);
  for (int i = 0; i < 20000; ++i) {
    const double x = (random.uniform() - 0.5) * 1400;
    const double expected = std::exp(x);
    EXPECT_NEAR(portable_exp(x), expected, expected * 4e-15) << x;
    const double y = std::exp((random.uniform() - 0.5) * 100);
    EXPECT_NEAR(portable_log(y), std::log(y), 1e-15 + std::fabs(std::log(y)) * 1e-15) << y;
  }
  EXPECT_EQ(portable_exp(-1000), 0);
  EXPECT_TRUE(std::isinf(portable_exp(1000)));
  EXPECT_TRUE(std::isnan(portable_log(-1)));
  EXPECT_EQ(portable_log(1), 0);
  EXPECT_EQ(portable_sigmoid(0), 0.5);
  EXPECT_EQ(portable_sigmoid(-std::numeric_limits<double>::infinity()), 0);
}

}  // namespace
}  // namespace medretrieval::detail
