// Kernels that choose inverted lists and make the tables of their residuals, against the scalar ones.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "base/random.hpp"
#include "kernels/dispatch.hpp"
#include "kernels/scan_support.hpp"

namespace medretrieval::kernels {
namespace {

using detail::Random;

class ListKernels : public ::testing::TestWithParam<std::size_t> {
 protected:
  const KernelTable& table() const { return supported()[GetParam()]; }
};

TEST_P(ListKernels, ByteSumsEqualScalarAndSaturate) {
  Random random(3);
  for (std::size_t subspaces = 1; subspaces <= 70; ++subspaces) {
    const std::size_t block_bytes = (subspaces + 1) / 2 * kBlockRows;
    for (std::size_t blocks = 0; blocks <= 9; ++blocks) {
      Aligned codes(blocks * block_bytes + 1);
      for (std::size_t i = 0; i < blocks * block_bytes; ++i)
        codes.bytes()[i] = static_cast<std::uint8_t>(random.next());
      for (const std::uint64_t most : {1U, 8U, 256U}) {
        std::vector<std::uint8_t> tables((subspaces + subspaces % 2) * 16);  // a last one of zeros
        for (std::size_t i = 0; i < subspaces * 16; ++i)
          tables[i] = static_cast<std::uint8_t>(random.below(most));
        std::vector<std::uint8_t> got(blocks * kBlockRows + 1, 7), expected = got;
        table().byte_sums(codes.bytes(), blocks, tables.data(), subspaces, got.data());
        kScalarKernels.byte_sums(codes.bytes(), blocks, tables.data(), subspaces, expected.data());
        ASSERT_EQ(got, expected) << subspaces << " subspaces, " << blocks << " blocks";
      }
    }
  }
}

TEST_P(ListKernels, SumsUpToABoundEqualScalar) {
  Random random(4);
  for (std::size_t blocks = 0; blocks <= 9; ++blocks) {
    std::vector<std::uint8_t> sums(blocks * kBlockRows);
    for (auto& sum : sums) sum = static_cast<std::uint8_t>(random.next());
    for (const std::uint8_t bound : std::initializer_list<std::uint8_t>{0, 1, 127, 128, 254, 255}) {
      std::vector<std::uint64_t> got(blocks + 1, 5), expected(blocks + 1, 5);
      const std::size_t found = table().sums_up_to(sums.data(), blocks, bound, got.data());
      EXPECT_EQ(found, kScalarKernels.sums_up_to(sums.data(), blocks, bound, expected.data()));
      EXPECT_EQ(got, expected);
      if (bound == 255) {
        EXPECT_EQ(found, sums.size());
      }
    }
  }
}

TEST_P(ListKernels, EntryDistancesEqualScalarInEveryBit) {
  Random random(5);
  for (const std::size_t entries : {16U, 256U}) {
    for (const std::vector<std::size_t>& starts : std::initializer_list<std::vector<std::size_t>>{
             {0, 1}, {0, 5, 9, 13}, {0, 0, 17}, {0, 2, 4, 6, 8, 10}, {0, 40}}) {
      const std::size_t subspaces = starts.size() - 1;
      std::vector<float> query(starts.back()), values(starts.back() * entries);
      for (auto& value : query) value = static_cast<float>(random.normal());
      for (auto& value : values) value = static_cast<float>(random.normal());
      std::vector<float> got(subspaces * entries, -1), expected(subspaces * entries, -2);
      table().entry_distances(query.data(), values.data(), starts.data(), subspaces, entries, got.data());
      kScalarKernels.entry_distances(query.data(), values.data(), starts.data(), subspaces, entries,
                                     expected.data());
      ASSERT_EQ(std::memcmp(got.data(), expected.data(), got.size() * sizeof(float)), 0);
      double exact = 0;  // of the last entry
      for (std::size_t d = starts[subspaces - 1]; d < starts.back(); ++d) {
        exact += std::pow(double{query[d]} - double{values[d * entries + entries - 1]}, 2);
      }
      EXPECT_NEAR(double{got.back()}, exact, 1e-5 * exact);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Kernels, ListKernels, ::testing::Range<std::size_t>(0, supported().size()),
                         [](const auto& tested) { return std::string(supported()[tested.param].name); });

}  // namespace
}  // namespace medretrieval::kernels
