// Pools of scans of every length from 0 to 300 codes, of every width and on inputs made to be hard, against the distances
// of plain loops and of the scalar kernels.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "codes/scan_support.hpp"
#include "kernels/kernel_table.hpp"

namespace medretrieval {
namespace {

using detail::Random;

constexpr std::size_t kLongest = 300;
/// Rows that teach a pool its threshold, so that what follows is scanned as in the middle of a long scan.
constexpr std::size_t kBefore = 600;

/// Codes with their distances to a query.
struct Scored {
  CodeLayout layout;
  std::vector<std::uint8_t> packed;
  std::vector<ItemId> ids;
  std::vector<float> distances;

  /// Makes all ids odd, or all even, so that those of two lie among each other without being equal.
  void number(bool odd) {
    for (auto& id : ids) id = 2 * id + static_cast<ItemId>(odd);
  }
  Codes first(std::size_t rows) const {
    return Codes::from_rows(layout, rows, std::span(packed).first(rows * layout.row_bytes()));
  }
};

std::vector<std::uint8_t> packed(const Codes& codes) {
  const std::size_t bytes = codes.layout().row_bytes();
  std::vector<std::uint8_t> rows(codes.rows() * bytes);
  for (std::size_t r = 0; r < codes.rows(); ++r) codes.get_row(r, rows.data() + r * bytes);
  return rows;
}

std::vector<Candidate> nearest_of_both(const ScanPart& part, const Scored& scored,
                                       std::vector<Candidate> before, std::size_t capacity) {
  const auto here = expected_pool(part, scored.distances, capacity);
  before.insert(before.end(), here.begin(), here.end());
  std::sort(before.begin(), before.end());
  if (before.size() > capacity) before.resize(capacity);
  return before;
}

/// Scans the first rows of `scored`, so many that every length comes up, alone and after those of `before`.
void expect_pools_at_every_length(const QueryScorer& scorer, Scored before, Scored scored,
                                  const std::string& what) {
  Random random(9);
  before.number(false);
  scored.number(true);
  const Codes codes_before = before.first(kBefore);
  const ScanPart part_before = {codes_before, {}, before.ids, 0, 0, kBefore, nullptr};
  for (const std::size_t capacity : {1U, 10U, 300U}) {
    const auto expected_before = expected_pool(part_before, before.distances, capacity);
    for (std::size_t length = 0; length <= kLongest; ++length) {
      const Codes codes = scored.first(length);
      std::vector<std::uint64_t> masks(length / 64 + 1);
      for (auto& mask : masks) mask = random.next();
      ScanPart part = {codes, {}, scored.ids, 1, 0, static_cast<std::uint32_t>(length), nullptr};
      if (length % 4 == 1) part.begin = static_cast<std::uint32_t>(random.below(length));
      if (length % 5 == 2) part.masks = masks.data();
      const std::string place = what + ", " + std::to_string(length) + " rows";
      for (const bool alone : {true, false}) {
        CandidatePool pool({.count = capacity});
        const auto scan = scorer.begin(0);
        if (!alone) scan->scan(part_before, pool);
        scan->scan(part, pool);
        const auto expected =
            nearest_of_both(part, scored, alone ? std::vector<Candidate>{} : expected_before, capacity);
        ASSERT_NO_FATAL_FAILURE(expect_equal(pool.take(), expected, place));
      }
    }
  }
}

/// How codes lie to the query.
enum class Near { random, ties, equal, one_bit };

Scored near_query(const Codes& query, std::size_t rows, Near near, Random& random) {
  const CodeLayout layout = query.layout();
  Codes codes = random_codes(layout, rows, near == Near::ties ? 2 : rows, random);
  std::vector<std::uint8_t> row(layout.row_bytes());
  for (std::size_t r = 0; r < rows && (near == Near::equal || near == Near::one_bit); ++r) {
    query.get_row(0, row.data());
    const std::size_t bit = random.below(layout.bits());
    if (near == Near::one_bit) row[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    codes.set_row(r, row.data());
  }
  return {layout, packed(codes), shuffled_ids(rows, random), hamming_distances(codes, query)};
}

class HammingLengths : public ::testing::TestWithParam<std::size_t> {};

TEST_P(HammingLengths, PoolsEqualASort) {
  Random random(GetParam());
  const auto layout = CodeLayout::binary(GetParam());
  for (const auto near : {Near::random, Near::ties, Near::equal, Near::one_bit}) {
    Codes query = random_codes(layout, 1, 1, random);
    Scored before = near_query(query, kBefore, near, random);
    Scored scored = near_query(query, kLongest, near, random);
    const auto scorer = make_hamming_scorer(std::move(query));
    expect_pools_at_every_length(*scorer, std::move(before), std::move(scored),
                                 layout.to_string() + ", near " + std::to_string(static_cast<int>(near)));
  }
}

INSTANTIATE_TEST_SUITE_P(Bits, HammingLengths,
                         ::testing::Values(1, 20, 32, 33, 48, 64, 100, 128, 192, 256, 300, 512));

/// Tables that make the quantized scan hard: ties everywhere, all rows equal, sums that saturate, one entry far off,
/// numbers near the largest.
enum class Hard { spread, ties, equal, saturating, one_far, huge };

Matrix hard_tables(Hard hard, std::size_t entries, Random& random) {
  Matrix tables(1, entries);
  for (float& value : tables.row(0)) {
    const auto u = static_cast<float>(random.uniform());
    value = hard == Hard::spread    ? u
            : hard == Hard::ties    ? static_cast<float>(random.below(2))
            : hard == Hard::equal   ? 0.1F
            : hard == Hard::one_far ? (random.below(40) == 0 ? 1e6F : u)
            : hard == Hard::huge    ? 1e36F * (u - 0.5F)
                                    : 1e4F * u * u * u;
  }
  return tables;
}

Scored asymmetric(const CodeLayout& layout, const Matrix& tables, std::size_t rows, Random& random) {
  const Codes codes = random_codes(layout, rows, 1 + rows / 2, random);
  std::vector<std::uint32_t> numbers(rows);
  std::iota(numbers.begin(), numbers.end(), 0U);
  std::vector<float> distances(rows);
  const auto& scalar = kernels::kScalarKernels;
  (layout.bits_per_entry() == 8 ? scalar.adc8_rows : scalar.adc4_rows)(
      codes.view().blocks(), tables.data(), layout.subspaces(), numbers.data(), rows, distances.data());
  return {layout, packed(codes), shuffled_ids(rows, random), std::move(distances)};
}

class AdcLengths : public ::testing::TestWithParam<std::size_t> {};

TEST_P(AdcLengths, PoolsEqualTheScalarKernel) {
  const std::size_t subspaces = GetParam();
  Random random(subspaces);
  for (const std::size_t bits : {4U, 8U}) {
    const auto layout = CodeLayout::product(subspaces, bits);
    for (const auto hard :
         {Hard::spread, Hard::ties, Hard::equal, Hard::saturating, Hard::one_far, Hard::huge}) {
      const Matrix tables = hard_tables(hard, subspaces << bits, random);
      Scored before = asymmetric(layout, tables, kBefore, random);
      Scored scored = asymmetric(layout, tables, kLongest, random);
      const auto scorer = make_adc_scorer(layout, tables.clone());
      expect_pools_at_every_length(*scorer, std::move(before), std::move(scored),
                                   layout.to_string() + ", tables " + std::to_string(static_cast<int>(hard)));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Subspaces, AdcLengths, ::testing::Values(1, 2, 8, 16, 17, 32, 33, 64, 65));

}  // namespace
}  // namespace medretrieval
