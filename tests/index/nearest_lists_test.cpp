#include "index/nearest_lists.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "support/random_features.hpp"

namespace medretrieval::index {
namespace {

std::vector<std::uint32_t> walk(const CoarseQuantizer& quantizer, MatrixView query, std::size_t expected) {
  NearestLists nearest(quantizer, query, quantizer.nearest(query, expected).front());
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
  const Matrix queries = testing::gaussian(5, 9, 2);
  for (std::size_t q = 0; q < 5; ++q) {
    const auto lists = walk(quantizer, queries.view().rows_from(q, 1), 100);
    ASSERT_EQ(std::set<std::uint32_t>(lists.begin(), lists.end()).size(), 100U);
    ASSERT_EQ(lists.size(), 100U);
    for (std::size_t i = 1; i < lists.size(); ++i) {
      EXPECT_LE(distance(quantizer, queries.row(q), lists[i - 1]),
                distance(quantizer, queries.row(q), lists[i]) * (1 + 1e-5));
    }
  }
}

TEST(NearestLists, ManyListsAreGivenOnceEachTheNearestFirst) {
  const CoarseQuantizer quantizer(testing::clustered(1500, 9, 30, 0.4, 1));
  const Matrix queries = testing::clustered(40, 9, 30, 0.4, 2);
  std::size_t found = 0;
  for (std::size_t q = 0; q < queries.rows(); ++q) {
    const auto lists = walk(quantizer, queries.view().rows_from(q, 1), 10);
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
  EXPECT_GE(found, 390U);  // of 400: codes hide few of the nearest lists
}

}  // namespace
}  // namespace medretrieval::index
