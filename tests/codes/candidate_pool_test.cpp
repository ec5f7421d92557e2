// Pools against sorting everything that was offered.
#include <gtest/gtest.h>

#include <algorithm>
#include <medretrieval/scorer.hpp>
#include <numeric>
#include <vector>

#include "base/random.hpp"

namespace medretrieval {
namespace {

using detail::Random;

TEST(CountingPool, ItsThresholdIsTheKthDistanceAtOnce) {
  Random random(4);
  std::vector<ItemId> ids(2000);
  std::iota(ids.begin(), ids.end(), ItemId{0});
  const Codes none(CodeLayout::binary(8), 2000);
  for (const std::size_t k : {1U, 7U, 500U}) {
    CandidatePool pool({.count = k});
    pool.enter({none, {}, ids, 0, 0, 2000, nullptr});
    pool.count_distances(64);
    std::vector<float> seen;
    for (std::uint32_t row = 0; row < 2000; ++row) {
      const auto distance = static_cast<float>(random.below(65));
      pool.offer(&row, &distance, 1);
      seen.push_back(distance);
      if (seen.size() < k) {
        ASSERT_EQ(pool.threshold(), 64);
        continue;
      }
      auto kth = seen;
      std::nth_element(kth.begin(), kth.begin() + static_cast<std::ptrdiff_t>(k - 1), kth.end());
      ASSERT_EQ(pool.threshold(), kth[k - 1]) << "after " << seen.size() << " of k = " << k;
    }
    EXPECT_EQ(pool.take().size(), k);
  }
}

TEST(CountingPool, GoesOnAfterAMerge) {
  std::vector<ItemId> ids(400);
  std::iota(ids.begin(), ids.end(), ItemId{0});
  const Codes none(CodeLayout::binary(8), 400);
  const ScanPart part = {none, {}, ids, 0, 0, 400, nullptr};
  std::vector<CandidatePool> pools(2, CandidatePool({.count = 5}));
  std::vector<float> all;
  const auto offer = [&](CandidatePool& pool, std::uint32_t first) {
    pool.enter(part);
    pool.count_distances(64);
    for (std::uint32_t row = first; row < first + 100; ++row) {
      const auto distance = static_cast<float>(row * 37 % 65);
      all.push_back(distance);
      pool.offer(&row, &distance, 1);
    }
  };
  offer(pools[0], 0);
  offer(pools[1], 100);
  pools[0].merge(std::move(pools[1]));
  offer(pools[0], 200);
  std::sort(all.begin(), all.end());
  const auto found = pools[0].take();
  ASSERT_EQ(found.size(), 5U);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(found[i].distance, all[i]);
}

TEST(CountingPool, ANegativeRadiusLeavesItEmpty) {
  const std::vector<ItemId> ids = {1, 2};
  const Codes none(CodeLayout::binary(8), 2);
  CandidatePool pool({.count = 2, .radius = -1});
  pool.enter({none, {}, ids, 0, 0, 2, nullptr});
  pool.count_distances(8);
  const std::uint32_t row = 0;
  const float distance = 0;
  pool.offer(&row, &distance, 1);
  EXPECT_TRUE(pool.take().empty());
}

/// Distances just below zero beside zeros.
TEST(Pool, KeepsTheNearestOfDenormals) {
  std::vector<ItemId> ids(12);
  std::iota(ids.begin(), ids.end(), ItemId{0});
  const Codes none(CodeLayout::binary(8), 12);
  CandidatePool pool({.count = 10});
  pool.enter({none, {}, ids, 0, 0, 12, nullptr});
  for (std::uint32_t row = 0; row < 12; ++row) {
    const float distance = row < 10 ? -1e-45F : 0.0F;
    pool.offer(&row, &distance, 1);
  }
  const auto found = pool.take();
  ASSERT_EQ(found.size(), 10U);
  for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(found[i].id, i);
}

/// Rows of several segments whose ids are mixed, offered in bunches.
struct Offers {
  Offers(std::size_t segments, std::size_t rows, std::size_t distinct, Random& random)
      : codes(CodeLayout::binary(8), rows), ids(segments), distances(segments) {
    for (std::size_t s = 0; s < segments; ++s) {
      for (std::size_t r = 0; r < rows; ++r) {
        ids[s].push_back((r * 7919 + s) % rows * segments + s);
        distances[s].push_back(static_cast<float>(random.below(distinct)));
      }
    }
  }

  void offer(CandidatePool& pool, std::size_t segment, std::span<const std::uint32_t> excluded) const {
    const auto rows = static_cast<std::uint32_t>(ids[segment].size());
    const auto number = static_cast<std::uint32_t>(segment);
    pool.enter({codes, {}, ids[segment], number, 0, rows, nullptr, excluded});
    std::vector<std::uint32_t> bunch(rows);
    std::iota(bunch.begin(), bunch.end(), 0U);
    for (std::uint32_t first = 0; first < rows; first += 100) {
      const std::size_t count = std::min<std::size_t>(100, rows - first);
      pool.offer(bunch.data() + first, distances[segment].data() + first, count);
    }
  }

  std::vector<Candidate> expected(std::size_t count, std::span<const std::uint32_t> excluded) const {
    std::vector<Candidate> all;
    for (std::uint32_t s = 0; s < ids.size(); ++s) {
      for (std::uint32_t r = 0; r < ids[s].size(); ++r) {
        if (std::binary_search(excluded.begin(), excluded.end(), r)) continue;
        all.push_back({ids[s][r], distances[s][r], s, r});
      }
    }
    std::sort(all.begin(), all.end());
    all.resize(std::min(count, all.size()));
    return all;
  }

  Codes codes;
  std::vector<std::vector<ItemId>> ids;
  std::vector<std::vector<float>> distances;
};

void expect_same(const std::vector<Candidate>& got, const std::vector<Candidate>& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(got[i].id, expected[i].id) << "place " << i;
    ASSERT_EQ(got[i].distance, expected[i].distance);
    ASSERT_EQ(got[i].segment, expected[i].segment);
    ASSERT_EQ(got[i].row, expected[i].row);
  }
}

TEST(CandidatePool, KeepsTheNearestOfSeveralSegmentsWithManyTies) {
  Random random(5);
  const std::vector<std::uint32_t> excluded = {0, 5, 99, 100, 899};
  for (const std::size_t distinct : {1U, 2U, 7U, 200U}) {  // all equal, nearly, some ties
    const Offers offers(3, 900, distinct, random);
    for (const std::size_t k : {1U, 10U, 33U, 64U, 500U, 3000U}) {
      for (const bool counting : {false, true}) {
        for (const bool excluding : {false, true}) {
          const auto left_out = excluding ? std::span(excluded) : std::span<const std::uint32_t>();
          CandidatePool pool({.count = k});
          if (counting) pool.count_distances(256);
          for (std::size_t s = 0; s < 3; ++s) offers.offer(pool, s, left_out);
          expect_same(pool.take(), offers.expected(k, left_out));
        }
      }
    }
  }
}

TEST(CandidatePool, AResetPoolIsAsANewOne) {
  Random random(15);
  const Offers offers(3, 900, 40, random);
  const std::vector<std::uint32_t> excluded = {0, 5, 99};
  CandidatePool pool({.count = 500});
  for (const std::size_t k : {10U, 64U, 700U, 1U}) {
    for (const bool counting : {true, false}) {
      pool.reset({.count = k});
      if (counting) pool.count_distances(256);
      for (std::size_t s = 0; s < 3; ++s) offers.offer(pool, s, excluded);
      expect_same(pool.take(), offers.expected(k, excluded));
    }
  }
}

TEST(CandidatePool, MergedPoolsKnowTheirSegments) {
  Random random(6);
  const Offers offers(4, 500, 20, random);
  for (const std::size_t k : {1U, 40U, 1500U}) {
    for (const bool counting : {false, true}) {
      std::vector<CandidatePool> pools(2, CandidatePool({.count = k}));
      for (std::size_t s = 0; s < 4; ++s) {
        if (counting) pools[s % 2].count_distances(20);
        offers.offer(pools[s % 2], s, {});
      }
      pools[0].merge(std::move(pools[1]));
      expect_same(pools[0].take(), offers.expected(k, {}));
    }
  }
}

TEST(CandidatePool, StopsCountingAtItsRadius) {
  Random random(7);
  const Offers offers(1, 900, 60, random);
  CandidatePool pool({.count = 400, .radius = 20.5F});
  pool.count_distances(64);
  offers.offer(pool, 0, {});
  auto expected = offers.expected(400, {});
  std::erase_if(expected, [](const Candidate& each) { return each.distance > 20.5F; });
  expect_same(pool.take(), expected);
}

}  // namespace
}  // namespace medretrieval
