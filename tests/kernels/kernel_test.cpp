// Every instruction set against the scalar reference, bit for bit.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <tuple>
#include <vector>

#include "base/random.hpp"
#include "kernels/dispatch.hpp"
#include "kernels/scan_support.hpp"

namespace medretrieval::kernels {
namespace {

using detail::Random;

class EveryIsa : public ::testing::TestWithParam<std::size_t> {
 protected:
  const KernelTable& table() const { return supported()[GetParam()]; }
};

enum class Content { random, zeros, ones, near_query };

void fill(std::uint8_t* bytes, std::size_t count, Content content, const std::vector<std::uint64_t>& query,
          std::size_t words, Random& random) {
  for (std::size_t i = 0; i < count; ++i) {
    if (content == Content::random) bytes[i] = static_cast<std::uint8_t>(random.next());
    if (content == Content::zeros) bytes[i] = 0;
    if (content == Content::ones) bytes[i] = 0xff;
  }
  if (content != Content::near_query) return;
  auto* out = reinterpret_cast<std::uint64_t*>(bytes);  // one bit away from the query
  for (std::size_t i = 0; i < count / 8; ++i) {
    out[i] = query[i / kBlockRows % words] ^ (i % 3 == 0 ? std::uint64_t{1} << i % 64 : 0);
  }
}

TEST_P(EveryIsa, HammingEqualsScalarAtEveryWidth) {
  Random random(1);
  for (std::size_t words = 1; words <= 17; ++words) {
    std::vector<std::uint64_t> query(words);
    std::vector<std::uint32_t> weights(words);
    for (auto& word : query) word = random.next();
    for (auto& weight : weights) weight = 1 + static_cast<std::uint32_t>(random.below(1000));
    constexpr std::size_t kBlocks = 5;
    const std::size_t block_bytes = words * kBlockRows * 8;
    Aligned codes(kBlocks * block_bytes);
    std::vector<std::uint64_t> masks = {random.next(), 0, ~std::uint64_t{0}, 1, std::uint64_t{1} << 63};
    for (const auto content : {Content::random, Content::zeros, Content::ones, Content::near_query}) {
      fill(codes.bytes(), kBlocks * block_bytes, content, query, words, random);
      for (const std::uint64_t* mask : std::initializer_list<const std::uint64_t*>{nullptr, masks.data()}) {
        for (const std::uint32_t* weight :
             std::initializer_list<const std::uint32_t*>{nullptr, weights.data()}) {
          for (const std::uint32_t threshold : {0U, 1U, static_cast<std::uint32_t>(words * 32),
                                                static_cast<std::uint32_t>(words * 16000), 1U << 24}) {
            const BlockSpan span = {codes.bytes(), kBlocks, mask, 640};
            const auto scan_with = [&](const KernelTable& kernel) {
              return run(span, block_bytes, 100, [&](const BlockSpan& s, Survivors& out) {
                return kernel.hamming(s, query.data(), weight, words, threshold, out);
              });
            };
            EXPECT_EQ(scan_with(table()), scan_with(kScalarKernels))
                << words << " words, threshold " << threshold;
          }
        }
      }
    }
  }
}

TEST_P(EveryIsa, Hamming32EqualsScalar) {
  Random random(2);
  constexpr std::size_t kBlocks = 6;
  Aligned codes(kBlocks * kBlockRows * 4);
  for (int round = 0; round < 20; ++round) {
    const auto query = static_cast<std::uint32_t>(random.next());
    auto* words = reinterpret_cast<std::uint32_t*>(codes.bytes());
    for (std::size_t i = 0; i < kBlocks * kBlockRows; ++i) {
      words[i] = round % 4 == 0 ? query ^ 1U << i % 32 : static_cast<std::uint32_t>(random.next());
    }
    std::vector<std::uint64_t> masks(kBlocks);
    for (auto& mask : masks) mask = random.next() & random.next();
    for (const std::uint32_t threshold : {0U, 1U, 15U, 32U, 1U << 24, ~0U}) {
      const BlockSpan span = {codes.bytes(), kBlocks, round % 2 == 0 ? nullptr : masks.data(), 0};
      const auto scan_with = [&](const KernelTable& kernel) {
        return run(span, kBlockRows * 4, 64, [&](const BlockSpan& s, Survivors& out) {
          return kernel.hamming32(s, query, threshold, out);
        });
      };
      EXPECT_EQ(scan_with(table()), scan_with(kScalarKernels)) << "threshold " << threshold;
    }
  }
}

TEST_P(EveryIsa, AdcEqualsScalarAtEveryNumberOfSubspaces) {
  Random random(3);
  for (const std::size_t bits : {4U, 8U}) {
    for (std::size_t subspaces = 1; subspaces <= 50; ++subspaces) {
      const std::size_t entries = std::size_t{1} << bits;
      std::vector<float> tables(subspaces * entries);
      for (std::size_t i = 0; i < tables.size(); ++i) {
        const int kind = static_cast<int>(subspaces % 3);  // spread, all equal, huge
        tables[i] = kind == 0   ? static_cast<float>(random.uniform() * 100)
                    : kind == 1 ? 0.1F
                                : static_cast<float>(random.uniform() * 1e35);
      }
      constexpr std::size_t kBlocks = 4;
      const std::size_t block_bytes = (subspaces * bits + 7) / 8 * kBlockRows;
      Aligned codes(kBlocks * block_bytes);
      for (std::size_t i = 0; i < kBlocks * block_bytes; ++i)
        codes.bytes()[i] = static_cast<std::uint8_t>(random.next());
      const std::vector<std::uint64_t> masks = {random.next(), ~std::uint64_t{0}, 0, random.next()};
      float expected_median = 0;
      for (std::size_t m = 0; m < subspaces; ++m) expected_median += tables[m * entries];
      for (const float threshold : {0.0F, expected_median, 1e38F}) {
        for (const std::uint64_t* mask : std::initializer_list<const std::uint64_t*>{nullptr, masks.data()}) {
          const BlockSpan span = {codes.bytes(), kBlocks, mask, 64};
          const auto scan_with = [&](const KernelTable& kernel) {
            return run(span, block_bytes, 100, [&](const BlockSpan& s, Survivors& out) {
              return (bits == 8 ? kernel.adc8 : kernel.adc4)(s, tables.data(), subspaces, threshold, out);
            });
          };
          EXPECT_EQ(scan_with(table()), scan_with(kScalarKernels))
              << subspaces << " subspaces of " << bits << " bits";
        }
      }
    }
  }
}

TEST_P(EveryIsa, RowDistancesEqualScalarInEveryBit) {
  Random random(4);
  constexpr std::size_t kRows = 11;
  for (std::size_t dimension = 1; dimension <= 100; ++dimension) {
    const std::size_t stride = dimension + dimension % 5;
    std::vector<float> query(dimension);
    std::vector<float> base(kRows * stride);
    const double scale = dimension % 3 == 0   ? 1e16
                         : dimension % 3 == 1 ? 1
                                              : 1e-20;  // overflow-free to denormal
    for (auto& value : query) value = static_cast<float>(random.normal() * scale * 0.1);
    for (auto& value : base) value = static_cast<float>(random.normal() * scale * 0.1);
    const std::vector<std::uint32_t> indices = {10, 0, 3, 3, 7, 9, 1};
    const auto compare = [&](RowDistances KernelTable::*function) {
      for (const bool indexed : {false, true}) {
        const std::size_t count = indexed ? indices.size() : kRows;
        std::vector<float> got(count, -1);
        std::vector<float> expected(count, -2);
        (table().*function)(query.data(), base.data(), stride, indexed ? indices.data() : nullptr, count,
                            dimension, got.data());
        (kScalarKernels.*function)(query.data(), base.data(), stride, indexed ? indices.data() : nullptr,
                                   count, dimension, expected.data());
        EXPECT_EQ(std::memcmp(got.data(), expected.data(), count * sizeof(float)), 0)
            << "dimension " << dimension;
      }
    };
    compare(&KernelTable::l2_squared);
    compare(&KernelTable::inner_product);
  }
}

TEST_P(EveryIsa, KeysAreCountedAndKeptAsByScalar) {
  Random random(16);
  for (std::size_t size = 0; size <= 100; ++size) {
    std::vector<std::int32_t> keys(size);
    std::vector<std::uint32_t> rows(size);
    std::vector<std::uint32_t> sources(size);
    for (std::size_t i = 0; i < size; ++i) {
      keys[i] = static_cast<std::int32_t>(random.below(9)) - 4;
      if (random.below(10) == 0) keys[i] = random.below(2) == 0 ? INT32_MIN : INT32_MAX;
      rows[i] = static_cast<std::uint32_t>(random.next());
      sources[i] = static_cast<std::uint32_t>(random.next());
    }
    for (const std::int32_t bound : {INT32_MIN, -4, 0, 3, INT32_MAX}) {
      const auto run = [&](const KernelTable& kernel) {
        auto kept = std::tuple(keys, rows, sources);
        auto& [k, r, s] = kept;
        const std::size_t count = kernel.keep_keys(k.data(), r.data(), s.data(), size, bound);
        EXPECT_EQ(kernel.count_keys(keys.data(), size, bound), count);
        std::int32_t least = 0;
        std::int32_t largest = 0;
        if (size > 0) {
          kernel.key_range(keys.data(), size, least, largest);
          EXPECT_EQ(least, *std::min_element(keys.begin(), keys.end()));
          EXPECT_EQ(largest, *std::max_element(keys.begin(), keys.end()));
        }
        k.resize(count);
        r.resize(count);
        s.resize(count);
        return kept;
      };
      EXPECT_EQ(run(table()), run(kScalarKernels)) << size << " keys, bound " << bound;
    }
  }
}

/// Every finite binary16, in every instruction set.
TEST_P(EveryIsa, HalvesCountAsTheFloatsThatTheyEqual) {
  const auto value_of = [](unsigned half) {
    const int exponent = static_cast<int>(half >> 10 & 31);
    const double fraction = half & 1023;
    const double magnitude =
        exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
    return static_cast<float>((half & 0x8000) != 0 ? -magnitude : magnitude);
  };
  for (unsigned half = 0; half < 0x10000; ++half) {
    const auto stored = static_cast<std::uint16_t>(half);
    const float one = 1;
    float product = -1;
    table().inner_product_half(&one, &stored, 1, nullptr, 1, 1, &product);
    if ((half & 0x7c00) == 0x7c00) {  // infinities and NaN are not stored, but may be read from a forged file
      EXPECT_FALSE(std::isfinite(product)) << half;
      continue;
    }
    EXPECT_EQ(product, value_of(half)) << half;
  }
}

TEST_P(EveryIsa, DistancesOfHalvesEqualThoseOfTheirFloats) {
  Random random(14);
  for (std::size_t dimension = 1; dimension <= 70; ++dimension) {
    const std::size_t stride = dimension + dimension % 3;
    std::vector<float> query(dimension);
    std::vector<std::uint16_t> halves(9 * stride);
    std::vector<float> floats(9 * stride);
    for (auto& value : query) value = static_cast<float>(random.normal());
    for (std::size_t i = 0; i < halves.size(); ++i) {
      halves[i] = static_cast<std::uint16_t>(random.below(0x7c00) | random.below(2) << 15);
      const float one = 1;
      kScalarKernels.inner_product_half(&one, &halves[i], 1, nullptr, 1, 1, &floats[i]);
    }
    const std::vector<std::uint32_t> indices = {8, 0, 3, 3, 7, 5, 1, 2, 8, 6, 4, 4, 0};
    std::vector<float> got(indices.size());
    std::vector<float> expected(indices.size());
    const auto compare = [&](HalfRowDistances KernelTable::*half, RowDistances KernelTable::*whole) {
      (table().*half)(query.data(), halves.data(), stride, indices.data(), indices.size(), dimension,
                      got.data());
      (kScalarKernels.*whole)(query.data(), floats.data(), stride, indices.data(), indices.size(), dimension,
                              expected.data());
      EXPECT_EQ(got, expected) << "dimension " << dimension;
    };
    compare(&KernelTable::l2_squared_half, &KernelTable::l2_squared);
    compare(&KernelTable::inner_product_half, &KernelTable::inner_product);
    for (std::size_t row = 0; row < 9; ++row) {
      float square = -1;
      float product = -2;
      const float* values = &floats[row * stride];
      table().row_squares_half(&halves[row * stride], stride, nullptr, 1, dimension, &square);
      kScalarKernels.inner_product(values, values, 0, nullptr, 1, dimension, &product);
      EXPECT_EQ(square, product) << dimension;
    }
  }
}

/// Rows of bytes give the bits of the floats that they stand for, whatever their alignment, and rows of every type give
/// their own inner product.
TEST_P(EveryIsa, DistancesOfBytesEqualThoseOfTheirFloats) {
  Random random(17);
  for (std::size_t dimension = 1; dimension <= 70; ++dimension) {
    const std::size_t stride = kByteRowHead + dimension + dimension % 3;
    const double scale = dimension % 4 == 0 ? 1e13 : dimension % 4 == 1 ? 1e-41 : 1;
    std::vector<float> query(dimension);
    std::vector<std::uint8_t> bytes(9 * stride);
    std::vector<float> floats(9 * stride);
    for (auto& value : query) value = static_cast<float>(random.normal() * scale);
    for (std::size_t row = 0; row < 9; ++row) {
      const auto least = static_cast<float>(random.normal() * scale);
      const auto step = row == 5 ? 0.0F : static_cast<float>(std::fabs(random.normal()) * scale);
      std::memcpy(&bytes[row * stride], &least, sizeof least);
      std::memcpy(&bytes[row * stride + 4], &step, sizeof step);
      for (std::size_t d = 0; d < dimension; ++d) {
        const auto byte = static_cast<std::uint8_t>(random.below(256));
        bytes[row * stride + kByteRowHead + d] = byte;
        floats[row * stride + d] = std::fma(static_cast<float>(byte), step, least);
      }
    }
    const std::vector<std::uint32_t> indices = {8, 0, 3, 3, 7, 5, 1, 2, 8, 6, 4, 4, 0};
    std::vector<float> got(indices.size(), -1);
    std::vector<float> expected(indices.size(), -2);
    const auto expect_equal = [&] {
      EXPECT_EQ(std::memcmp(got.data(), expected.data(), got.size() * sizeof(float)), 0) << dimension;
    };
    const auto compare = [&](ByteRowDistances KernelTable::*byte, RowDistances KernelTable::*whole) {
      (table().*byte)(query.data(), bytes.data(), stride, indices.data(), indices.size(), dimension,
                      got.data());
      (kScalarKernels.*whole)(query.data(), floats.data(), stride, indices.data(), indices.size(), dimension,
                              expected.data());
      expect_equal();
    };
    compare(&KernelTable::l2_squared_bytes, &KernelTable::l2_squared);
    compare(&KernelTable::inner_product_bytes, &KernelTable::inner_product);
    for (std::size_t i = 0; i < indices.size(); ++i) {
      const float* row = &floats[indices[i] * stride];
      kScalarKernels.inner_product(row, row, 0, nullptr, 1, dimension, &expected[i]);
    }
    table().row_squares(floats.data(), stride, indices.data(), indices.size(), dimension, got.data());
    expect_equal();
    table().row_squares_bytes(bytes.data(), stride, indices.data(), indices.size(), dimension, got.data());
    expect_equal();
  }
}

TEST_P(EveryIsa, MultiplyRowEqualsTheTile) {
  Random random(15);
  const KernelTable& kernel = table();
  for (const std::size_t panels : {1U, 2U, 4U, 5U, 9U}) {
    for (const std::size_t depth : {0U, 1U, 7U, 100U}) {
      const std::size_t panel_stride = kernel.tile_cols * (depth + 2);
      std::vector<float> a(depth);
      std::vector<float> b(panels * panel_stride);
      for (auto& value : a) value = static_cast<float>(random.normal());
      for (auto& value : b) value = static_cast<float>(random.normal());
      std::vector<float> c(panels * kernel.tile_cols, 0.5F);
      kernel.multiply_row(a.data(), b.data(), panel_stride, panels, depth, c.data());
      for (std::size_t i = 0; i < c.size(); ++i) {
        float sum = 0.5F;
        for (std::size_t k = 0; k < depth; ++k) {
          const float* panel = b.data() + i / kernel.tile_cols * panel_stride;
          sum = __builtin_fmaf(a[k], panel[k * kernel.tile_cols + i % kernel.tile_cols], sum);
        }
        EXPECT_EQ(c[i], sum) << panels << " panels, depth " << depth << ", column " << i;
      }
    }
  }
}

TEST_P(EveryIsa, MultiplyTileIsOneAscendingFusedSum) {
  Random random(5);
  const KernelTable& kernel = table();
  for (const std::size_t depth : {0U, 1U, 2U, 7U, 256U}) {
    std::vector<float> a(kernel.tile_rows * depth);
    std::vector<float> b(kernel.tile_cols * depth);
    for (auto& value : a) value = static_cast<float>(random.normal());
    for (auto& value : b) value = static_cast<float>(random.normal());
    const std::size_t stride = kernel.tile_cols + 3;
    std::vector<float> c(kernel.tile_rows * stride, 0.5F);
    kernel.multiply_tile(a.data(), b.data(), depth, c.data(), stride);
    for (std::size_t i = 0; i < kernel.tile_rows; ++i) {
      for (std::size_t j = 0; j < stride; ++j) {
        float sum = 0.5F;
        for (std::size_t k = 0; k < depth && j < kernel.tile_cols; ++k) {
          sum = __builtin_fmaf(a[k * kernel.tile_rows + i], b[k * kernel.tile_cols + j], sum);
        }
        EXPECT_EQ(c[i * stride + j], sum) << i << ", " << j;
      }
    }
  }
}

TEST(ScalarKernels, L2FollowsItsFixedOrder) {
  // 17 ones: lane 0 holds 2, the others 1; the tree adds exactly.
  const std::vector<float> ones(17, 1.0F);
  const std::vector<float> zeros(17, 0.0F);
  float distance = 0;
  kScalarKernels.l2_squared(ones.data(), zeros.data(), 17, nullptr, 1, 17, &distance);
  EXPECT_EQ(distance, 17.0F);
  // A large value in lane 0 swallows what is added to it last, but not what lanes 1 to 15 collected among
  // themselves.
  std::vector<float> values(16, 1.0F);
  values[0] = 4096;  // 2^24 when squared; 15 ones beside it
  const std::vector<float> origin(16, 0.0F);
  kScalarKernels.l2_squared(values.data(), origin.data(), 16, nullptr, 1, 16, &distance);
  // lane 0 + lane 8 = 2^24 + 1 rounds to 2^24; then + 2, + 4, + 8
  EXPECT_EQ(distance, 16777216.0F + 14.0F);
}

INSTANTIATE_TEST_SUITE_P(Kernels, EveryIsa, ::testing::Range<std::size_t>(0, supported().size()),
                         [](const auto& tested) { return std::string(supported()[tested.param].name); });

TEST(Dispatch, OffersScalarFirstAndCompleteTables) {
  EXPECT_STREQ(supported().front().name, "scalar");
  for (const auto& kernel : supported()) {
    EXPECT_NE(kernel.hamming, nullptr);
    EXPECT_NE(kernel.adc8, nullptr);
    EXPECT_NE(kernel.adc4, nullptr);
    EXPECT_NE(kernel.multiply_tile, nullptr);
    EXPECT_LE(kernel.tile_rows, 16U);
    EXPECT_LE(kernel.tile_cols, 64U);
  }
}

}  // namespace
}  // namespace medretrieval::kernels
