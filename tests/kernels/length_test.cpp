// Scans of every length from 0 to 300 codes, of every width and on inputs made to be hard, against the scalar kernels.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "kernels/dispatch.hpp"
#include "kernels/scan_support.hpp"

namespace medretrieval::kernels {
namespace {

using detail::Random;

constexpr std::size_t kLongest = 300;
constexpr std::size_t kBlocks = (kLongest + kBlockRows - 1) / kBlockRows;

/// A scan over given codes with the functions of a table.
using ScanOf = std::function<std::size_t(const KernelTable&, const BlockSpan&, Survivors&)>;

/// Holds the scan to the scalar one at every length. That one runs once: of a shorter input it keeps the same rows, cut.
void expect_scalar_at_every_length(const KernelTable& table, const std::uint8_t* codes,
                                   std::size_t block_bytes, const ScanOf& scan, const std::string& what) {
  const auto run_with = [&](const KernelTable& with, const BlockSpan& span, std::size_t capacity) {
    return run(span, block_bytes, capacity,
               [&](const BlockSpan& s, Survivors& out) { return scan(with, s, out); });
  };
  const Kept all = run_with(kScalarKernels, {codes, kBlocks, nullptr, 0}, kBlocks * kBlockRows);
  for (std::size_t length = 0; length <= kLongest; ++length) {
    std::vector<std::uint64_t> masks((length + kBlockRows - 1) / kBlockRows, ~std::uint64_t{0});
    const bool whole = length % kBlockRows == 0;
    if (!whole) masks.back() >>= kBlockRows - length % kBlockRows;
    const std::size_t capacity = length % 3 == 0 ? 64 : length % 3 == 1 ? 130 : 512;
    const BlockSpan span = {codes, masks.size(), whole && length % 128 == 0 ? nullptr : masks.data(), 0};
    const Kept got = run_with(table, span, capacity);
    const auto end = std::lower_bound(all.rows.begin(), all.rows.end(), length);
    const auto count = end - all.rows.begin();
    ASSERT_TRUE(std::equal(got.rows.begin(), got.rows.end(), all.rows.begin(), end))
        << what << ", " << length << " codes";
    ASSERT_TRUE(std::equal(got.distances.begin(), got.distances.end(), all.distances.begin(),
                           all.distances.begin() + count))
        << what << ", " << length << " codes";
  }
}

class EveryLength : public ::testing::TestWithParam<std::size_t> {
 protected:
  const KernelTable& table() const { return supported()[GetParam()]; }
};

/// How codes lie to the query.
enum class Near { random, equal, one_bit, opposite };
constexpr Near kAllNear[] = {Near::random, Near::equal, Near::one_bit, Near::opposite};

template <class Word>
void fill_words(Word* codes, const std::vector<Word>& query, Near near, Random& random) {
  for (std::size_t i = 0; i < kBlocks * kBlockRows * query.size(); ++i) {
    const std::size_t row = i / kBlockRows / query.size() * kBlockRows + i % kBlockRows;
    const std::size_t word = i / kBlockRows % query.size();
    const std::size_t bit = row * 7 % (query.size() * sizeof(Word) * 8);
    Word turned = 0;
    if (near == Near::random) turned = static_cast<Word>(random.next());
    if (near == Near::opposite) turned = static_cast<Word>(~Word{0});
    if (near == Near::one_bit && bit / (sizeof(Word) * 8) == word)
      turned = Word{1} << bit % (sizeof(Word) * 8);
    codes[i] = query[word] ^ turned;
  }
}

TEST_P(EveryLength, Hamming) {
  Random random(1);
  for (const std::size_t words : {1U, 2U, 3U, 4U, 5U, 8U, 9U, 33U}) {
    std::vector<std::uint64_t> query(words);
    std::vector<std::uint32_t> weights(words);
    for (auto& word : query) word = random.next();
    for (auto& weight : weights) weight = 1 + static_cast<std::uint32_t>(random.below(100));
    Aligned codes(kBlocks * words * kBlockRows * 8);
    for (const auto near : kAllNear) {
      fill_words(reinterpret_cast<std::uint64_t*>(codes.bytes()), query, near, random);
      for (const bool weighted : {false, true}) {
        const std::uint32_t furthest = static_cast<std::uint32_t>(words) * 64;
        for (const std::uint32_t threshold : {0U, 1U, furthest / 2 * (weighted ? 50 : 1), furthest * 100}) {
          expect_scalar_at_every_length(
              table(), codes.bytes(), words * kBlockRows * 8,
              [&](const KernelTable& kernel, const BlockSpan& span, Survivors& out) {
                return kernel.hamming(span, query.data(), weighted ? weights.data() : nullptr, words,
                                      threshold, out);
              },
              std::to_string(words) + " words, threshold " + std::to_string(threshold));
        }
      }
    }
  }
}

TEST_P(EveryLength, Hamming32) {
  Random random(2);
  const std::vector<std::uint32_t> query = {static_cast<std::uint32_t>(random.next())};
  Aligned codes(kBlocks * kBlockRows * 4);
  for (const auto near : kAllNear) {
    fill_words(reinterpret_cast<std::uint32_t*>(codes.bytes()), query, near, random);
    for (const std::uint32_t threshold : {0U, 1U, 16U, 32U, ~0U}) {
      expect_scalar_at_every_length(
          table(), codes.bytes(), kBlockRows * 4,
          [&](const KernelTable& kernel, const BlockSpan& span, Survivors& out) {
            return kernel.hamming32(span, query[0], threshold, out);
          },
          "threshold " + std::to_string(threshold));
    }
  }
}

/// Codes of random entries for all blocks.
void fill_random(std::uint8_t* codes, std::size_t bytes, Random& random) {
  for (std::size_t i = 0; i < bytes; ++i) codes[i] = static_cast<std::uint8_t>(random.next());
}

TEST_P(EveryLength, AsymmetricDistance) {
  enum class Tables { spread, ties, equal, huge };
  Random random(3);
  for (const std::size_t bits : {4U, 8U}) {
    for (const std::size_t subspaces : {1U, 2U, 3U, 8U, 16U, 17U, 32U, 33U, 64U}) {
      const std::size_t block_bytes = (subspaces * bits + 7) / 8 * kBlockRows;
      Aligned codes(kBlocks * block_bytes);
      fill_random(codes.bytes(), kBlocks * block_bytes, random);
      for (const auto kind : {Tables::spread, Tables::ties, Tables::equal, Tables::huge}) {
        std::vector<float> tables(subspaces << bits);
        for (auto& entry : tables) {
          entry = kind == Tables::spread ? static_cast<float>(random.uniform() - 0.3)
                  : kind == Tables::ties ? static_cast<float>(random.below(2))
                  : kind == Tables::huge ? static_cast<float>(random.uniform() * 1e36)
                                         : 0.1F;
        }
        const auto scan_up_to = [&](float threshold) {
          return [&, threshold](const KernelTable& kernel, const BlockSpan& span, Survivors& out) {
            return (bits == 8 ? kernel.adc8 : kernel.adc4)(span, tables.data(), subspaces, threshold, out);
          };
        };
        auto sums =
            run({codes.bytes(), kBlocks, nullptr, 0}, block_bytes, kBlocks * kBlockRows,
                [&](const BlockSpan& s, Survivors& out) { return scan_up_to(3e38F)(kScalarKernels, s, out); })
                .distances;
        std::sort(sums.begin(), sums.end());
        for (const float threshold : {sums[0], sums[10], sums[160], sums.back()}) {
          expect_scalar_at_every_length(table(), codes.bytes(), block_bytes, scan_up_to(threshold),
                                        std::to_string(subspaces) + " x " + std::to_string(bits) +
                                            " bits, tables " + std::to_string(static_cast<int>(kind)));
        }
      }
    }
  }
}

/// Rows of which few, some and many stay, and sums at their least and largest.
TEST_P(EveryLength, QuantizedAsymmetricDistance) {
  struct Kind {
    QuantizedAdcScan KernelTable::*function;
    std::size_t bits;
    std::uint64_t largest;
  };
  enum class Entries { random, zero, largest, small, few_large };
  Random random(4);
  for (const Kind& kind : {Kind{&KernelTable::quantized_adc8, 8, 255},
                           {&KernelTable::quantized_adc4, 4, kMostQuantized4},
                           {&KernelTable::saturated_adc4, 4, 255}}) {
    const bool saturates = kind.function == &KernelTable::saturated_adc4;
    for (const std::size_t subspaces : {1U, 2U, 3U, 4U, 5U, 8U, 9U, 16U, 17U, 32U, 33U, 64U, 257U}) {
      const std::size_t block_bytes = (subspaces * kind.bits + 7) / 8 * kBlockRows;
      Aligned codes(kBlocks * block_bytes);
      fill_random(codes.bytes(), kBlocks * block_bytes, random);
      for (const auto entries :
           {Entries::random, Entries::zero, Entries::largest, Entries::small, Entries::few_large}) {
        std::vector<std::uint8_t> tables((subspaces + 1) << kind.bits);
        for (std::size_t i = 0; i < subspaces << kind.bits; ++i) {
          tables[i] = static_cast<std::uint8_t>(entries == Entries::random    ? random.below(kind.largest + 1)
                                                : entries == Entries::zero    ? 0
                                                : entries == Entries::largest ? kind.largest
                                                : entries == Entries::small   ? random.below(8)
                                                : random.below(20) == 0       ? kind.largest
                                                                              : 0);
        }
        const std::size_t most = subspaces * kind.largest;
        const std::vector<std::size_t> limits =
            saturates ? std::vector<std::size_t>{0, 1, 127, 254}
                      : std::vector<std::size_t>{0, 1, most / 16, most / 4, most / 3, most / 2, 65535};
        for (const std::size_t limit : limits) {
          expect_scalar_at_every_length(
              table(), codes.bytes(), block_bytes,
              [&](const KernelTable& kernel, const BlockSpan& span, Survivors& out) {
                return (kernel.*kind.function)(span, tables.data(), subspaces,
                                               static_cast<std::uint16_t>(limit), out);
              },
              std::to_string(subspaces) + " x " + std::to_string(kind.bits) + " bits, limit " +
                  std::to_string(limit));
        }
      }
    }
  }
}

/// Codes that differ in one entry, each entry in turn: every place of every table is looked up.
TEST_P(EveryLength, EveryEntryOfATableOf256IsFound) {
  Random random(5);
  constexpr std::size_t kSubspaces = 3;
  Aligned codes(kBlocks * kSubspaces * kBlockRows);
  std::vector<std::uint8_t> tables(kSubspaces * 256);
  for (auto& entry : tables) entry = static_cast<std::uint8_t>(random.next());
  for (std::size_t i = 0; i < kBlocks * kSubspaces * kBlockRows; ++i) {
    codes.bytes()[i] = static_cast<std::uint8_t>(i / (kSubspaces * kBlockRows) * kBlockRows + i % kBlockRows);
  }
  for (std::uint16_t limit = 0; limit < 255 * kSubspaces; limit += 5) {
    expect_scalar_at_every_length(
        table(), codes.bytes(), kSubspaces * kBlockRows,
        [&](const KernelTable& kernel, const BlockSpan& span, Survivors& out) {
          return kernel.quantized_adc8(span, tables.data(), kSubspaces, limit, out);
        },
        "limit " + std::to_string(limit));
  }
}

INSTANTIATE_TEST_SUITE_P(Kernels, EveryLength, ::testing::Range<std::size_t>(0, supported().size()),
                         [](const auto& tested) { return std::string(supported()[tested.param].name); });

}  // namespace
}  // namespace medretrieval::kernels
