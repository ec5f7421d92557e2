// Scorers and pools against sorting all distances.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <medretrieval/scorer.hpp>
#include <numeric>
#include <vector>

#include "base/random.hpp"
#include "codes/feature_scorer.hpp"
#include "kernels/kernel_table.hpp"
#include "support/expect_error.hpp"
#include "support/random_features.hpp"

namespace medretrieval {
namespace {

using detail::FeatureDistance;
using detail::FeatureScorer;
using detail::Random;

std::vector<ItemId> shuffled_ids(std::size_t rows, Random& random) {
  std::vector<ItemId> ids(rows);
  std::iota(ids.begin(), ids.end(), ItemId{1000});
  for (std::size_t i = rows; i > 1; --i) std::swap(ids[i - 1], ids[random.below(i)]);
  return ids;
}

/// What a pool must hold: the `capacity` smallest by (distance, id) of the rows that count.
std::vector<Candidate> expected_pool(const ScanPart& part, const std::vector<float>& distances,
                                     std::size_t capacity) {
  std::vector<Candidate> all;
  for (std::uint32_t row = part.begin; row < part.end; ++row) {
    if (part.masks != nullptr && (part.masks[row / 64] >> row % 64 & 1) == 0) continue;
    all.push_back({part.ids[row], distances[row], part.segment, row});
  }
  std::sort(all.begin(), all.end());
  if (all.size() > capacity) all.resize(capacity);
  return all;
}

void expect_equal(const std::vector<Candidate>& got, const std::vector<Candidate>& expected,
                  const std::string& what) {
  ASSERT_EQ(got.size(), expected.size()) << what;
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i].id, expected[i].id) << what << ", place " << i;
    EXPECT_EQ(got[i].distance, expected[i].distance) << what << ", place " << i;
    EXPECT_EQ(got[i].row, expected[i].row) << what << ", place " << i;
  }
}

Codes random_codes(const CodeLayout& layout, std::size_t rows, std::size_t distinct, Random& random) {
  Codes codes(layout, rows);
  std::vector<std::vector<std::uint8_t>> values(distinct, std::vector<std::uint8_t>(layout.row_bytes()));
  for (auto& value : values) {
    for (auto& byte : value) byte = static_cast<std::uint8_t>(random.next());
    if (layout.bits() % 8 != 0) value.back() &= static_cast<std::uint8_t>((1U << layout.bits() % 8) - 1);
  }
  for (std::size_t r = 0; r < rows; ++r) codes.set_row(r, values[random.below(distinct)].data());
  return codes;
}

std::vector<float> hamming_distances(const Codes& codes, const Codes& query) {
  std::vector<float> distances(codes.rows());
  std::vector<std::uint8_t> a(codes.layout().row_bytes());
  std::vector<std::uint8_t> b(a.size());
  query.get_row(0, b.data());
  for (std::size_t r = 0; r < codes.rows(); ++r) {
    codes.get_row(r, a.data());
    int bits = 0;
    for (std::size_t i = 0; i < a.size(); ++i) bits += std::popcount(static_cast<unsigned>(a[i] ^ b[i]));
    distances[r] = static_cast<float>(bits);
  }
  return distances;
}

TEST(Scan, HammingPoolsEqualASortAtEveryLengthAndRange) {
  Random random(1);
  for (const std::size_t bits : {8U, 32U, 48U, 64U, 128U, 256U, 300U, 512U}) {
    const auto layout = CodeLayout::binary(bits);
    for (std::size_t rows = 0; rows <= 300; rows += rows < 140 ? 1 : 37) {
      const Codes codes =
          random_codes(layout, rows, rows % 3 == 0 ? 2 : 1000, random);  // many ties, few ties
      const auto ids = shuffled_ids(rows, random);
      std::vector<std::uint64_t> masks(rows / 64 + 1);
      for (auto& mask : masks) mask = random.next();
      Codes query = random_codes(layout, 1, 1, random);
      const auto distances = hamming_distances(codes, query);
      const auto scorer_owner = make_hamming_scorer(std::move(query));
      const QueryScorer& scorer = *scorer_owner;
      ScanPart part = {codes, {}, ids, 3, 0, static_cast<std::uint32_t>(rows), nullptr};
      if (rows > 5) part.begin = static_cast<std::uint32_t>(random.below(rows));
      if (rows > 5) part.end = part.begin + static_cast<std::uint32_t>(random.below(rows - part.begin + 1));
      for (const std::uint64_t* mask : std::initializer_list<const std::uint64_t*>{nullptr, masks.data()}) {
        part.masks = mask;
        for (const std::size_t capacity : {0U, 1U, 10U, 300U}) {
          CandidatePool pool({.count = capacity});
          scorer.begin(0)->scan(part, pool);
          expect_equal(pool.take(), expected_pool(part, distances, capacity),
                       std::to_string(bits) + " bits, " + std::to_string(rows) + " rows");
        }
      }
    }
  }
}

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

/// Tables that make the quantized scan hard: ties everywhere, all rows equal, sums that saturate, one entry far off.
enum class Hard { spread, ties, equal, saturating, one_far };

TEST(Scan, AdcPoolsEqualTheScalarKernelAtEveryLength) {
  Random random(8);
  for (const std::size_t bits : {4U, 8U}) {
    for (const std::size_t subspaces : {1U, 8U, 16U, 17U, 64U, 65U}) {
      const auto layout = CodeLayout::product(subspaces, bits);
      const std::size_t entries = std::size_t{1} << bits;
      for (const auto hard : {Hard::spread, Hard::ties, Hard::equal, Hard::saturating, Hard::one_far}) {
        Matrix tables(1, subspaces * entries);
        for (float& value : tables.row(0)) {
          const auto u = static_cast<float>(random.uniform());
          value = hard == Hard::spread    ? u
                  : hard == Hard::ties    ? static_cast<float>(random.below(2))
                  : hard == Hard::equal   ? 0.1F
                  : hard == Hard::one_far ? (random.below(40) == 0 ? 1e6F : u)
                                          : 1e4F * u * u * u;
        }
        const auto scorer = make_adc_scorer(layout, tables.clone());
        for (std::size_t rows = 0; rows <= 300; rows += rows < 140 ? 7 : 20) {
          const Codes codes = random_codes(layout, rows, 1 + rows / 2, random);
          const auto ids = shuffled_ids(rows, random);
          std::vector<std::uint32_t> numbers(rows);
          std::iota(numbers.begin(), numbers.end(), 0U);
          std::vector<float> distances(rows);
          const auto& scalar = kernels::kScalarKernels;
          (bits == 8 ? scalar.adc8_rows : scalar.adc4_rows)(codes.view().blocks(), tables.data(), subspaces,
                                                            numbers.data(), rows, distances.data());
          const ScanPart part = {codes, {}, ids, 0, 0, static_cast<std::uint32_t>(rows), nullptr};
          for (const std::size_t capacity : {1U, 10U, 100U}) {
            CandidatePool pool({.count = capacity});
            scorer->begin(0)->scan(part, pool);
            expect_equal(pool.take(), expected_pool(part, distances, capacity),
                         layout.to_string() + ", " + std::to_string(rows) + " rows");
          }
        }
      }
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
