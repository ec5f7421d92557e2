#include "index/nearest_lists.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.hpp"

namespace medretrieval::index {
namespace {

std::vector<std::uint32_t> all_of(std::span<const float> scores, std::size_t expected) {
  NearestLists nearest(scores, expected);
  std::vector<std::uint32_t> lists;
  while (const auto list = nearest.next()) lists.push_back(*list);
  return lists;
}

TEST(NearestLists, GivesEveryListByScoreThenNumber) {
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

TEST(NearestLists, WithoutScoresThereIsNone) {
  EXPECT_TRUE(all_of({}, 3).empty());
}

}  // namespace
}  // namespace medretrieval::index
