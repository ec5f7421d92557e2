// Scorers and pools against sorting all distances.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <medretrieval/scorer.hpp>
#include <numeric>
#include <vector>

#include "base/random.hpp"
#include "codes/feature_scorer.hpp"
#include "codes/scan_support.hpp"
#include "support/expect_error.hpp"
#include "support/random_features.hpp"

namespace medretrieval {
namespace {

using detail::FeatureDistance;
using detail::FeatureScorer;
using detail::Random;

TEST(Scan, AdversarialLargePoolsStayExact) {
  Random random(2);
  const auto layout = CodeLayout::binary(64);
  constexpr std::size_t kRows = 20000;
  for (const std::size_t distinct : {1U, 2U, 40U}) {  // everything ties, or nearly
    const Codes codes = random_codes(layout, kRows, distinct, random);
    const auto ids = shuffled_ids(kRows, random);
    Codes query = random_codes(layout, 1, 1, random);
    const auto distances = hamming_distances(codes, query);
    const auto scorer_owner = make_hamming_scorer(std::move(query));
    const QueryScorer& scorer = *scorer_owner;
    const ScanPart part = {codes, {}, ids, 0, 0, kRows, nullptr};
    for (const std::size_t capacity : {1U, 20U, 1000U, 5000U, 50000U}) {
      CandidatePool pool({.count = capacity});
      scorer.begin(0)->scan(part, pool);
      expect_equal(pool.take(), expected_pool(part, distances, capacity),
                   std::to_string(distinct) + " codes");
    }
  }
}

TEST(Scan, MergedPoolsEqualOnePool) {
  Random random(3);
  const auto layout = CodeLayout::binary(24);
  constexpr std::uint32_t kRows = 3000;
  const Codes codes = random_codes(layout, kRows, 30, random);
  const auto ids = shuffled_ids(kRows, random);
  Codes query = random_codes(layout, 1, 1, random);
  const auto distances = hamming_distances(codes, query);
  const auto scorer_owner = make_hamming_scorer(std::move(query));
  const QueryScorer& scorer = *scorer_owner;
  const ScanPart whole = {codes, {}, ids, 0, 0, kRows, nullptr};
  CandidatePool merged({.count = 100});
  for (std::uint32_t begin = 0; begin < kRows; begin += 700) {
    ScanPart part = whole;
    part.begin = begin;
    part.end = std::min(kRows, begin + 700);
    CandidatePool pool({.count = 100});
    scorer.begin(0)->scan(part, pool);
    merged.merge(std::move(pool));
  }
  expect_equal(merged.take(), expected_pool(whole, distances, 100), "merged");
}

TEST(Scan, WithinARadiusNothingIsLeftOut) {
  Random random(4);
  const auto layout = CodeLayout::binary(40);
  const Codes codes = random_codes(layout, 5000, 5000, random);
  const auto ids = shuffled_ids(5000, random);
  Codes query = random_codes(layout, 1, 1, random);
  const auto distances = hamming_distances(codes, query);
  const auto scorer_owner = make_hamming_scorer(std::move(query));
  const QueryScorer& scorer = *scorer_owner;
  const ScanPart part = {codes, {}, ids, 0, 0, 5000, nullptr};
  for (const float radius : {-1.0F, 0.0F, 17.0F, 17.9F, 40.0F}) {
    CandidatePool pool({.radius = radius});
    scorer.begin(0)->scan(part, pool);
    const auto count =
        std::count_if(distances.begin(), distances.end(), [&](float d) { return d <= radius; });
    EXPECT_EQ(pool.take().size(), static_cast<std::size_t>(count)) << radius;
  }
}

TEST(Scan, AdcPoolsEqualASort) {
  Random random(5);
  for (const std::size_t bits : {4U, 8U}) {
    for (const std::size_t subspaces : {1U, 8U, 16U, 33U}) {
      const auto layout = CodeLayout::product(subspaces, bits);
      const std::size_t entries = std::size_t{1} << bits;
      Matrix tables(2, subspaces * entries);
      for (float& value : tables.row(1))
        value = static_cast<float>(random.below(4));  // whole numbers: many ties
      const Codes codes = random_codes(layout, 2000, 700, random);
      const auto ids = shuffled_ids(2000, random);
      std::vector<float> distances(2000);
      std::vector<std::uint8_t> row(layout.row_bytes());
      for (std::size_t r = 0; r < 2000; ++r) {
        codes.get_row(r, row.data());
        for (std::size_t m = 0; m < subspaces; ++m) {
          const std::size_t entry = bits == 8 ? row[m] : row[m / 2] >> (m % 2 * 4) & 15;
          distances[r] += tables(1, m * entries + entry);
        }
      }
      const auto scorer_owner = make_adc_scorer(layout, tables.clone());
      const QueryScorer& scorer = *scorer_owner;
      const ScanPart part = {codes, {}, ids, 0, 5, 1990, nullptr};
      CandidatePool pool({.count = 50});
      scorer.begin(1)->scan(part, pool);
      expect_equal(pool.take(), expected_pool(part, distances, 50), layout.to_string());
    }
  }
}

TEST(Scan, ExactDistancesAreWhatTheySay) {
  const Matrix features = testing::gaussian(500, 21, 6);
  const Matrix queries = testing::gaussian(2, 21, 7);
  std::vector<ItemId> ids(500);
  std::iota(ids.begin(), ids.end(), ItemId{0});
  const Codes none(CodeLayout::binary(1), 500);
  for (const auto distance : {FeatureDistance::l2, FeatureDistance::inner_product, FeatureDistance::cosine}) {
    const FeatureScorer scorer(queries, distance);
    CandidatePool pool({.count = 500});
    scorer.begin(1)->scan({none, features.view(), ids, 0, 0, 500, nullptr}, pool);
    const auto all = pool.take();
    ASSERT_EQ(all.size(), 500U);
    for (const auto& candidate : all) {
      double squared = 0;
      double dot = 0;
      double q_norm = 0;
      double x_norm = 0;
      for (std::size_t d = 0; d < 21; ++d) {
        const double q = static_cast<double>(queries(1, d));
        const double x = static_cast<double>(features(candidate.row, d));
        squared += (q - x) * (q - x);
        dot += q * x;
        q_norm += q * q;
        x_norm += x * x;
      }
      const double expected = distance == FeatureDistance::l2 ? squared
                              : distance == FeatureDistance::inner_product
                                  ? -dot
                                  : 1 - dot / std::sqrt(q_norm * x_norm);
      EXPECT_NEAR(candidate.distance, expected, 1e-4);
    }
  }
}

TEST(Scan, CosineOfAZeroVectorIsOne) {
  const Matrix zero(1, 4);
  const Matrix other = testing::gaussian(1, 4, 1);
  float distance = 0;
  FeatureScorer(zero, FeatureDistance::cosine).distances(0, other.view(), nullptr, 1, &distance);
  EXPECT_EQ(distance, 1.0F);
  FeatureScorer(other, FeatureDistance::cosine).distances(0, zero.view(), nullptr, 1, &distance);
  EXPECT_EQ(distance, 1.0F);
}

TEST(Scan, CodesOfAnotherLayoutAreRefused) {
  const auto scorer = make_hamming_scorer(Codes(CodeLayout::binary(64), 1));
  const Codes other(CodeLayout::binary(128), 10);
  const std::vector<ItemId> ids(10);
  CandidatePool pool({.count = 5});
  EXPECT_ERROR(scorer->begin(0)->scan({other, {}, ids, 0, 0, 10, nullptr}, pool), incompatible,
               "expected the layout binary(64), got binary(128)");
  EXPECT_ERROR(make_hamming_scorer(Codes(CodeLayout::product(8, 8), 1)), incompatible, "product(8 x 8 bits)");
  EXPECT_ERROR(make_adc_scorer(CodeLayout::product(8, 8), Matrix(1, 8)), incompatible, "2048 entries, got 8");
  EXPECT_ERROR(make_hamming_scorer(Codes(CodeLayout::binary(128), 1), {1}), invalid_argument,
               "binary(128), got 1");
  EXPECT_ERROR(make_hamming_scorer(Codes(CodeLayout::binary(32), 1), {1}), invalid_argument,
               "binary(32), got 1");
}

}  // namespace
}  // namespace medretrieval
