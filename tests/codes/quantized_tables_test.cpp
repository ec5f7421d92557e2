// The quantized scan must give what the float scan gives, always.
#include "codes/quantized_tables.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <medretrieval/scorer.hpp>
#include <numeric>
#include <vector>

#include "base/random.hpp"
#include "kernels/dispatch.hpp"

namespace medretrieval::detail {
namespace {

/// What can make rounding and quantization hard.
enum class Tables { spread, equal, one_far, near_ties, negative, huge, tiny, wide_and_narrow };
constexpr Tables kAllTables[] = {Tables::spread,   Tables::equal, Tables::one_far, Tables::near_ties,
                                 Tables::negative, Tables::huge,  Tables::tiny,    Tables::wide_and_narrow};

std::vector<float> make_tables(Tables kind, std::size_t subspaces, std::size_t entries, Random& random) {
  std::vector<float> tables(subspaces * entries);
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const double u = random.uniform();
    const std::size_t m = i / entries;
    double value = 100 * u;
    if (kind == Tables::equal) value = 0.1;
    if (kind == Tables::one_far) value = i % entries == 3 ? 1e6 : u;
    if (kind == Tables::near_ties) value = 1000 + static_cast<double>(random.below(3)) * 6.2e-5;
    if (kind == Tables::negative) value = 200 * u - 150;
    if (kind == Tables::huge) value = 1e36 * u;
    if (kind == Tables::tiny) value = 1e-38 * u;
    if (kind == Tables::wide_and_narrow) value = m == 0 ? 1e4 * u : 1e-3 * u;
    tables[i] = static_cast<float>(value);
  }
  return tables;
}

Codes random_codes(const CodeLayout& layout, std::size_t rows, Random& random) {
  std::vector<std::uint8_t> packed(rows * layout.row_bytes());
  for (auto& byte : packed) byte = static_cast<std::uint8_t>(random.next());
  for (std::size_t r = 0; layout.bits() % 8 != 0 && r < rows; ++r)
    packed[(r + 1) * layout.row_bytes() - 1] &= 15;
  return Codes::from_rows(layout, rows, packed);
}

std::vector<float> float_sums(const Codes& codes, const std::vector<float>& tables) {
  std::vector<std::uint32_t> rows(codes.rows());
  std::iota(rows.begin(), rows.end(), 0U);
  std::vector<float> sums(codes.rows());
  const bool wide = codes.layout().bits_per_entry() == 8;
  (wide ? kernels::kScalarKernels.adc8_rows : kernels::kScalarKernels.adc4_rows)(
      codes.view().blocks(), tables.data(), codes.layout().subspaces(), rows.data(), rows.size(),
      sums.data());
  return sums;
}

std::uint32_t byte_sum(const Codes& codes, std::size_t row, const QuantizedTables& tables) {
  std::vector<std::uint8_t> packed(codes.layout().row_bytes());
  codes.get_row(row, packed.data());
  std::uint32_t sum = 0;
  const bool wide = codes.layout().bits_per_entry() == 8;
  for (std::size_t m = 0; m < codes.layout().subspaces(); ++m) {
    const unsigned entry = wide ? packed[m] : packed[m / 2] >> (m % 2 * 4) & 15U;
    sum += tables.entries()[m * (wide ? 256 : 16) + entry];
  }
  return sum;
}

class Quantized : public ::testing::TestWithParam<std::size_t> {};

TEST_P(Quantized, NoRowWithinTheThresholdIsLeftOut) {
  Random random(1);
  for (const std::size_t subspaces : {1U, 2U, 7U, 16U, 33U, 257U}) {
    const auto layout = CodeLayout::product(subspaces, GetParam());
    const Codes codes = random_codes(layout, 500, random);
    for (const auto kind : kAllTables) {
      const auto tables = make_tables(kind, subspaces, std::size_t{1} << GetParam(), random);
      const auto sums = float_sums(codes, tables);
      auto sorted = sums;
      std::sort(sorted.begin(), sorted.end());
      QuantizedTables quantized(layout, tables.data(), kernels::kScalarKernels);
      EXPECT_FALSE(quantized.update(std::numeric_limits<float>::infinity()));
      for (const std::size_t place : {499U, 250U, 20U, 10U, 1U, 0U}) {  // falling, as a pool's threshold does
        ASSERT_TRUE(quantized.update(sorted[place]));
        for (std::size_t row = 0; row < 500; ++row) {
          if (sums[row] > sorted[place]) continue;
          ASSERT_LE(byte_sum(codes, row, quantized), quantized.limit())
              << subspaces << " subspaces, tables " << static_cast<int>(kind) << ", place " << place;
        }
      }
    }
  }
}

TEST_P(Quantized, LeavesOutMostOfWhatIsFar) {
  Random random(2);
  const auto layout = CodeLayout::product(16, GetParam());
  const Codes codes = random_codes(layout, 5000, random);
  const auto tables = make_tables(Tables::spread, 16, std::size_t{1} << GetParam(), random);
  auto sums = float_sums(codes, tables);
  std::sort(sums.begin(), sums.end());
  QuantizedTables quantized(layout, tables.data(), kernels::kScalarKernels);
  quantized.update(sums[9]);
  int survivors = 0;
  for (std::size_t row = 0; row < 5000; ++row)
    survivors += byte_sum(codes, row, quantized) <= quantized.limit();
  EXPECT_GE(survivors, 10);
  EXPECT_LE(survivors, 100);
}

/// Most distances here differ by less than a quantization step: without scoring the survivors in float, or with too
/// small a limit, the answer changes.
TEST_P(Quantized, ScansEqualASortOfFloatDistances) {
  Random random(3);
  for (const std::size_t subspaces : {1U, 5U, 16U, 64U}) {
    const auto layout = CodeLayout::product(subspaces, GetParam());
    constexpr std::size_t kRows = 6000;
    const Codes codes = random_codes(layout, kRows, random);
    std::vector<ItemId> ids(kRows);
    for (std::size_t r = 0; r < kRows; ++r) ids[r] = (r * 7919) % kRows;
    for (const auto kind : kAllTables) {
      const auto values = make_tables(kind, subspaces, std::size_t{1} << GetParam(), random);
      const auto sums = float_sums(codes, values);
      Matrix tables(1, values.size());
      std::copy(values.begin(), values.end(), tables.data());
      const auto scorer = make_adc_scorer(layout, std::move(tables));
      std::vector<std::uint32_t> order(kRows);
      std::iota(order.begin(), order.end(), 0U);
      std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
        return sums[a] != sums[b] ? sums[a] < sums[b] : ids[a] < ids[b];
      });
      for (const std::size_t k : {1U, 10U, 300U}) {
        CandidatePool pool({.count = k});
        scorer->begin(0)->scan({codes, {}, ids, 0, 0, kRows, nullptr}, pool);
        const auto found = pool.take();
        ASSERT_EQ(found.size(), k);
        for (std::size_t i = 0; i < k; ++i) {
          ASSERT_EQ(found[i].row, order[i]) << subspaces << " subspaces, tables " << static_cast<int>(kind);
          ASSERT_EQ(found[i].distance, sums[order[i]]);
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Bits, Quantized, ::testing::Values(4, 8));

TEST(QuantizedTables, EntriesTooFarApartForFloatAreScannedInFloat) {
  std::vector<float> tables(16, 0.0F);
  tables[1] = 3.3e38F;
  tables[2] = -3.3e38F;
  QuantizedTables quantized(CodeLayout::product(1, 4), tables.data(), kernels::kScalarKernels);
  EXPECT_FALSE(quantized.update(1.0F));
}

}  // namespace
}  // namespace medretrieval::detail
