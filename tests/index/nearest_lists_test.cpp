#include "index/nearest_lists.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/random.hpp"
#include "support/random_features.hpp"

namespace medretrieval::index {
namespace {

std::vector<std::uint32_t> all_of(const std::vector<float>& scores, std::size_t expected) {
  Ascending nearest(scores, expected);
  std::vector<std::uint32_t> lists;
  while (const auto list = nearest.next()) lists.push_back(*list);
  return lists;
}

TEST(Ascending, GivesEveryPlaceByScoreThenPlace) {
  detail::Random random(3);
  for (const std::size_t size : {1, 2, 15, 16, 17, 64, 100, 1000}) {
    for (const int levels : {1, 3, 1000000}) {  // many ties, few ties
      std::vector<float> scores;
      for (std::size_t i = 0; i < size; ++i)
        scores.push_back(static_cast<float>(random.below(levels)) - 1.5F);
      std::vector<std::uint32_t> expected(size);
      for (std::uint32_t i = 0; i < size; ++i) expected[i] = i;
      std::stable_sort(expected.begin(), expected.end(),
                       [&](std::uint32_t a, std::uint32_t b) { return scores[a] < scores[b]; });
      for (const std::size_t wanted : {std::size_t{1}, std::size_t{5}, size, size + 9}) {
        EXPECT_EQ(all_of(scores, wanted), expected) << size << " scores, " << wanted << " expected";
      }
    }
  }
}

TEST(Ascending, WithoutScoresThereIsNone) {
  EXPECT_TRUE(all_of({}, 3).empty());
}

std::vector<std::uint32_t> walk(const CoarseQuantizer& quantizer, std::span<const float> query,
                                std::size_t expected) {
  const Matrix centred = quantizer.centred(MatrixView(query));
  const Matrix scores = quantizer.group_scores(centred);
  NearestLists nearest(quantizer, centred.row(0), scores.row(0), expected);
  std::vector<std::uint32_t> lists;
  while (const auto list = nearest.next()) lists.push_back(*list);
  return lists;
}

double distance(const CoarseQuantizer& quantizer, std::span<const float> query, std::size_t list) {
  double sum = 0;
  for (std::size_t d = 0; d < query.size(); ++d) {
    const double difference = double{query[d]} - double{quantizer.centroids().row(list)[d]};
    sum += difference * difference;
  }
  return sum;
}

TEST(NearestLists, FewListsAreGivenByDistance) {
  const CoarseQuantizer quantizer(testing::gaussian(100, 9, 1));
  ASSERT_EQ(quantizer.groups(), 1U);
  const Matrix queries = testing::gaussian(5, 9, 2);
  for (std::size_t q = 0; q < 5; ++q) {
    const auto lists = walk(quantizer, queries.row(q), 3);
    ASSERT_EQ(lists.size(), 100U);
    for (std::size_t i = 1; i < lists.size(); ++i) {
      EXPECT_LE(distance(quantizer, queries.row(q), lists[i - 1]),
                distance(quantizer, queries.row(q), lists[i]) * (1 + 1e-5));
    }
  }
}

TEST(NearestLists, ManyListsAreGivenOnceEachTheNearestGroupsFirst) {
  const CoarseQuantizer quantizer(testing::clustered(1500, 9, 30, 0.4, 1));
  ASSERT_EQ(quantizer.groups(), 38U);
  std::size_t in_groups = 0;
  for (std::size_t g = 0; g < quantizer.groups(); ++g) in_groups += quantizer.lists_of(g).size();
  EXPECT_EQ(in_groups, 1500U);
  const Matrix queries = testing::clustered(40, 9, 30, 0.4, 2);
  std::size_t found = 0;
  for (std::size_t q = 0; q < queries.rows(); ++q) {
    const auto lists = walk(quantizer, queries.row(q), 10);
    const std::set<std::uint32_t> distinct(lists.begin(), lists.end());
    ASSERT_EQ(lists.size(), 1500U);
    ASSERT_EQ(distinct.size(), 1500U);
    std::vector<std::pair<double, std::uint32_t>> exact;
    for (std::uint32_t list = 0; list < 1500; ++list)
      exact.emplace_back(distance(quantizer, queries.row(q), list), list);
    std::sort(exact.begin(), exact.end());
    const std::set<std::uint32_t> first(lists.begin(), lists.begin() + 10);
    for (int i = 0; i < 10; ++i) found += first.contains(exact[static_cast<std::size_t>(i)].second) ? 1 : 0;
  }
  EXPECT_GE(found, 390U);  // of 400: groups hide few of the nearest lists
}

}  // namespace
}  // namespace medretrieval::index
