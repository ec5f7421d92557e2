#include "torch/batches.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace medretrieval::deep {
namespace {

std::vector<std::size_t> numbers(std::size_t count) {
  std::vector<std::size_t> rows(count);
  std::iota(rows.begin(), rows.end(), std::size_t{100});
  return rows;
}

TEST(Batches, HoldEveryRowOnceInNearlyEqualParts) {
  for (const std::size_t count : {1U, 7U, 31U, 32U, 33U, 65U, 100U}) {
    for (const std::size_t size : {1U, 8U, 32U, 1000U}) {
      const auto batches = batches_of(numbers(count), size, 1, 1);
      std::vector<std::size_t> seen;
      std::size_t least = count;
      std::size_t most = 0;
      for (const auto& batch : batches) {
        seen.insert(seen.end(), batch.begin(), batch.end());
        least = std::min(least, batch.size());
        most = std::max(most, batch.size());
      }
      EXPECT_THAT(seen, ::testing::UnorderedElementsAreArray(numbers(count)));
      EXPECT_LE(most, size);
      EXPECT_LE(most - least, 1U);
    }
  }
}

TEST(Batches, FollowFromSeedAndEpoch) {
  EXPECT_EQ(batches_of(numbers(40), 8, 1, 2), batches_of(numbers(40), 8, 1, 2));
  EXPECT_NE(batches_of(numbers(40), 8, 1, 2), batches_of(numbers(40), 8, 1, 3));
  EXPECT_NE(batches_of(numbers(40), 8, 1, 2), batches_of(numbers(40), 8, 2, 2));
}

}  // namespace
}  // namespace medretrieval::deep
