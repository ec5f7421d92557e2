// Kernels of asymmetric distance over quantized tables, and of the tables themselves, against the scalar ones.
#include <gtest/gtest.h>

#include <cstring>
#include <numeric>
#include <vector>

#include "base/random.hpp"
#include "kernels/dispatch.hpp"
#include "kernels/scan_support.hpp"

namespace medretrieval::kernels {
namespace {

using detail::Random;

class AdcKernels : public ::testing::TestWithParam<std::size_t> {
 protected:
  const KernelTable& table() const { return supported()[GetParam()]; }
};

/// One of the scans over quantized tables.
struct QuantizedKind {
  QuantizedAdcScan KernelTable::*function;
  std::size_t bits;
  std::uint64_t largest;  // entry
  std::vector<std::uint16_t> limits(std::size_t subspaces) const {
    const auto middle = static_cast<std::uint16_t>(subspaces * largest / 2);
    if (function != &KernelTable::saturated_adc4) return {0, middle, 65535};
    return {0, 1, 127, 254};
  }
};

const QuantizedKind kKinds[] = {{&KernelTable::quantized_adc8, 8, 255},
                                {&KernelTable::quantized_adc4, 4, kMostQuantized4},
                                {&KernelTable::saturated_adc4, 4, 255}};

enum class Entries { random, zero, largest, small };

/// Tables, codes and masks of one case.
struct Case {
  Case(const QuantizedKind& kind, std::size_t subspaces, Entries entries, std::size_t blocks, Random& random)
      : tables((subspaces + 1) << kind.bits),
        block_bytes((subspaces * kind.bits + 7) / 8 * kBlockRows),
        codes(blocks * block_bytes),
        masks(blocks + 1) {
    for (std::size_t i = 0; i < subspaces << kind.bits; ++i) {
      tables[i] = static_cast<std::uint8_t>(entries == Entries::random    ? random.below(kind.largest + 1)
                                            : entries == Entries::zero    ? 0
                                            : entries == Entries::largest ? kind.largest
                                                                          : random.below(8));
    }
    for (std::size_t i = 0; i < blocks * block_bytes; ++i)
      codes.bytes()[i] = static_cast<std::uint8_t>(random.next());
    for (auto& mask : masks) mask = random.next() >> random.below(64);
  }

  std::vector<std::uint8_t> tables;
  std::size_t block_bytes;
  Aligned codes;
  std::vector<std::uint64_t> masks;
};

TEST_P(AdcKernels, QuantizedScansEqualScalarAtEveryLengthAndWidth) {
  Random random(8);
  for (const auto& kind : kKinds) {
    const QuantizedAdcScan scan = table().*kind.function;
    for (const std::size_t subspaces : {1U, 2U, 3U, 4U, 5U, 8U, 15U, 16U, 17U, 31U, 32U, 64U, 257U}) {
      for (const auto entries : {Entries::random, Entries::zero, Entries::largest, Entries::small}) {
        for (std::size_t blocks = 0; blocks <= 5; ++blocks) {
          Case input(kind, subspaces, entries, blocks, random);
          for (const std::uint16_t limit : kind.limits(subspaces)) {
            for (const std::uint64_t* mask :
                 std::initializer_list<const std::uint64_t*>{nullptr, input.masks.data()}) {
              for (const std::size_t capacity : {64U, 70U, 200U}) {
                const BlockSpan span = {input.codes.bytes(), blocks, mask, 128};
                const auto rows_with = [&](QuantizedAdcScan function) {
                  return run(span, input.block_bytes, capacity,
                             [&](const BlockSpan& s, Survivors& out) {
                               return function(s, input.tables.data(), subspaces, limit, out);
                             })
                      .rows;
                };
                ASSERT_EQ(rows_with(scan), rows_with(kScalarKernels.*kind.function))
                    << subspaces << " subspaces of " << kind.bits << " bits, limit " << limit;
              }
            }
          }
        }
      }
    }
  }
}

TEST_P(AdcKernels, TablesAreQuantizedAsByScalar) {
  Random random(9);
  for (const std::size_t size : {16U, 256U}) {
    for (const double magnitude : {1.0, 1e-38, 1e30}) {
      constexpr std::size_t kCount = 5;
      std::vector<float> tables(kCount * size);
      for (auto& entry : tables) entry = static_cast<float>((random.uniform() - 0.5) * magnitude);
      std::fill_n(tables.begin(), size, static_cast<float>(magnitude));  // one of equal entries
      std::vector<float> least(kCount), largest(kCount), expected_least(kCount), expected_largest(kCount);
      table().table_ranges(tables.data(), kCount, size, least.data(), largest.data());
      kScalarKernels.table_ranges(tables.data(), kCount, size, expected_least.data(),
                                  expected_largest.data());
      EXPECT_EQ(least, expected_least);
      EXPECT_EQ(largest, expected_largest);
      for (const float scale : {0.0F, static_cast<float>(100 / magnitude), 1e10F, 3e38F}) {
        for (const float most : {63.0F, 255.0F}) {
          std::vector<std::uint8_t> got(tables.size(), 1), expected(tables.size(), 2);
          table().quantize_tables(tables.data(), kCount, size, least.data(), scale, most, got.data());
          kScalarKernels.quantize_tables(tables.data(), kCount, size, least.data(), scale, most,
                                         expected.data());
          EXPECT_EQ(got, expected) << "scale " << scale;
        }
      }
    }
  }
}

TEST_P(AdcKernels, DistancesOfRowsEqualScalarInEveryBit) {
  Random random(10);
  constexpr std::size_t kBlocks = 3;
  std::vector<std::uint32_t> rows(kBlocks * kBlockRows);
  std::iota(rows.begin(), rows.end(), 0U);
  for (std::size_t i = 0; i < 40; ++i)
    rows.push_back(static_cast<std::uint32_t>(random.below(kBlocks * kBlockRows)));
  for (const std::size_t bits : {4U, 8U}) {
    const auto function = bits == 4 ? &KernelTable::adc4_rows : &KernelTable::adc8_rows;
    for (std::size_t subspaces = 1; subspaces <= 70; ++subspaces) {
      std::vector<float> tables(subspaces << bits);
      for (auto& entry : tables) entry = static_cast<float>(random.normal());
      const std::size_t bytes = kBlocks * kBlockRows * ((subspaces * bits + 7) / 8);
      Aligned codes(bytes);
      for (std::size_t i = 0; i < bytes; ++i) codes.bytes()[i] = static_cast<std::uint8_t>(random.next());
      std::vector<float> got(rows.size(), -1), expected(rows.size(), -2);
      (table().*function)(codes.bytes(), tables.data(), subspaces, rows.data(), rows.size(), got.data());
      (kScalarKernels.*function)(codes.bytes(), tables.data(), subspaces, rows.data(), rows.size(),
                                 expected.data());
      ASSERT_EQ(std::memcmp(got.data(), expected.data(), got.size() * sizeof(float)), 0)
          << subspaces << " subspaces of " << bits << " bits";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Kernels, AdcKernels, ::testing::Range<std::size_t>(0, supported().size()),
                         [](const auto& tested) { return std::string(supported()[tested.param].name); });

}  // namespace
}  // namespace medretrieval::kernels
