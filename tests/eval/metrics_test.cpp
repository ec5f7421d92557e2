#include <gtest/gtest.h>

#include <algorithm>
#include <medretrieval/eval/metrics.hpp>
#include <numeric>

#include "base/random.hpp"
#include "support/expect_error.hpp"

namespace medretrieval::eval {
namespace {

/// Average precision of one order, from its definition.
double plain_average_precision(const std::vector<std::uint8_t>& relevant, std::size_t total) {
  double sum = 0;
  double found = 0;
  for (std::size_t i = 0; i < relevant.size(); ++i) {
    if (relevant[i] != 0) sum += ++found / static_cast<double>(i + 1);
  }
  return sum / static_cast<double>(total);
}

/// Visits every order of the ties of a short ranking.
template <class Visit>
void for_every_order(const Ranking& ranking, const Visit& visit) {
  std::vector<std::size_t> order(ranking.distances.size());
  std::iota(order.begin(), order.end(), 0U);
  do {
    if (!std::is_sorted(order.begin(), order.end(),
                        [&](auto a, auto b) { return ranking.distances[a] < ranking.distances[b]; })) {
      continue;
    }
    std::vector<std::uint8_t> relevant;
    for (const auto i : order) relevant.push_back(ranking.relevant[i]);
    visit(relevant);
  } while (std::next_permutation(order.begin(), order.end()));
}

Ranking random_ranking(std::size_t length, std::size_t distinct, double share, detail::Random& random) {
  Ranking ranking;
  for (std::size_t i = 0; i < length; ++i) {
    ranking.distances.push_back(static_cast<float>(random.below(distinct)));
    ranking.relevant.push_back(random.uniform() < share);
  }
  std::sort(ranking.distances.begin(), ranking.distances.end());
  return ranking;
}

TEST(AveragePrecision, EqualsTheMeanOverEveryOrderOfTheTies) {
  detail::Random random(1);
  for (int round = 0; round < 60; ++round) {
    const Ranking ranking = random_ranking(1 + random.below(7), 1 + random.below(4), 0.5, random);
    const auto relevant =
        static_cast<std::size_t>(std::accumulate(ranking.relevant.begin(), ranking.relevant.end(), 0));
    const std::size_t total = relevant + 1;
    double sum = 0;
    double count = 0;
    double worst = 1;
    double best = 0;
    double precision = 0;
    for_every_order(ranking, [&](const std::vector<std::uint8_t>& order) {
      const double ap = plain_average_precision(order, total);
      sum += ap;
      ++count;
      worst = std::min(worst, ap);
      best = std::max(best, ap);
      for (std::size_t i = 0; i < std::min<std::size_t>(3, order.size()); ++i) precision += order[i] != 0;
    });
    const auto got = average_precision(ranking, total);
    EXPECT_NEAR(got.expected, sum / count, 1e-12);
    EXPECT_NEAR(got.worst, worst, 1e-12);
    EXPECT_NEAR(got.best, best, 1e-12);
    EXPECT_NEAR(precision_at(ranking, 3), precision / count / 3, 1e-12);
  }
}

TEST(AveragePrecision, WithoutTiesIsTheTextbookValue) {
  const Ranking ranking = {{1, 2, 3, 4, 5}, {1, 0, 1, 0, 0}};
  const auto got = average_precision(ranking, 2);
  EXPECT_DOUBLE_EQ(got.expected, (1.0 + 2.0 / 3) / 2);
  EXPECT_DOUBLE_EQ(got.worst, got.expected);
  EXPECT_DOUBLE_EQ(got.best, got.expected);
  EXPECT_DOUBLE_EQ(precision_at(ranking, 10), 0.2) << "short rankings are filled with irrelevant items";
}

// Invariant: worst-tie <= tie-expected <= best-tie average precision.
TEST(AveragePrecision, ExpectedLiesBetweenWorstAndBest) {
  detail::Random random(2);
  for (int round = 0; round < 200; ++round) {
    const Ranking ranking = random_ranking(300, 1 + random.below(40), random.uniform(), random);
    const auto relevant =
        static_cast<std::size_t>(std::accumulate(ranking.relevant.begin(), ranking.relevant.end(), 0));
    if (relevant == 0) continue;
    const auto got = average_precision(ranking, relevant);
    EXPECT_LE(got.worst, got.expected + 1e-12);
    EXPECT_LE(got.expected, got.best + 1e-12);
  }
}

// Invariant: with random codes the full-ranking average precision is about the sum of squared class shares.
TEST(AveragePrecision, OfRandomRankingsIsTheSumOfSquaredClassShares) {
  detail::Random random(3);
  const std::vector<double> shares = {0.5, 0.3, 0.2};
  const auto draw_class = [&] {
    const double u = random.uniform();
    return u < 0.5 ? 0 : u < 0.8 ? 1 : 2;
  };
  double sum = 0;
  constexpr int kQueries = 300;
  for (int q = 0; q < kQueries; ++q) {
    const int own = draw_class();
    Ranking ranking;
    std::size_t relevant = 0;
    for (int i = 0; i < 2000; ++i) {
      ranking.distances.push_back(static_cast<float>(random.below(17)));  // 16-bit codes tie heavily
      ranking.relevant.push_back(draw_class() == own);
      relevant += ranking.relevant.back();
    }
    std::sort(ranking.distances.begin(), ranking.distances.end());
    sum += average_precision(ranking, relevant).expected;
  }
  EXPECT_NEAR(sum / kQueries, 0.25 + 0.09 + 0.04, 0.02);
}

TEST(PrecisionCurve, IsTheBestPrecisionAtOrAboveEachRecall) {
  const Ranking ranking = {{1, 2, 3, 3, 5}, {1, 0, 1, 1, 0}};
  const auto curve = interpolated_precision(ranking, 3, 4);
  ASSERT_EQ(curve.size(), 4U);
  EXPECT_DOUBLE_EQ(curve[0], 1.0);
  EXPECT_DOUBLE_EQ(curve[1], 1.0);
  EXPECT_DOUBLE_EQ(curve[2], 0.75) << "two relevant items arrive together at rank 4";
  EXPECT_DOUBLE_EQ(curve[3], 0.75);
  EXPECT_DOUBLE_EQ(interpolated_precision(ranking, 6, 3)[2], 0) << "half are never found";
  detail::Random random(4);
  for (int round = 0; round < 50; ++round) {
    const auto falling = interpolated_precision(random_ranking(50, 20, 0.4, random), 50, 21);
    EXPECT_TRUE(std::is_sorted(falling.rbegin(), falling.rend()));
  }
}

TEST(Bootstrap, CoversTheMeanAndWidensWithGroups) {
  detail::Random random(5);
  int covered = 0;
  double alone_width = 0;
  double grouped_width = 0;
  for (int round = 0; round < 100; ++round) {
    std::vector<double> values;
    std::vector<std::string> groups;
    for (int g = 0; g < 40; ++g) {
      const double shared = random.normal();
      for (int i = 0; i < 5; ++i) {
        values.push_back(shared);
        groups.push_back("patient " + std::to_string(g));
      }
    }
    const auto grouped = bootstrap_interval(values, groups, 400, static_cast<std::uint64_t>(round));
    const auto alone =
        bootstrap_interval(values, std::vector<std::string>(200), 400, static_cast<std::uint64_t>(round));
    covered += grouped.low <= 0 && 0 <= grouped.high;
    grouped_width += grouped.high - grouped.low;
    alone_width += alone.high - alone.low;
  }
  EXPECT_GE(covered, 86);
  EXPECT_GT(grouped_width, alone_width * 1.8) << "five copies of a value are not five observations";
}

TEST(Metrics, RefuseBadInput) {
  EXPECT_ERROR(average_precision({{1, 2}, {1}}, 1), invalid_argument, "each of the 2 distances, got 1");
  EXPECT_ERROR(average_precision({{2, 1}, {1, 0}}, 1), invalid_argument, "got 1 after 2");
  EXPECT_ERROR(average_precision({{1, 2}, {1, 1}}, 1), invalid_argument, "at least the 2 relevant");
  EXPECT_ERROR(average_precision({{1}, {0}}, 0), invalid_argument, "got 0");
  EXPECT_ERROR(precision_at({{1}, {0}}, 0), invalid_argument, "got 0");
  EXPECT_ERROR(bootstrap_interval({}, {}, 500, 1), invalid_argument, "0 values");
}

}  // namespace
}  // namespace medretrieval::eval
