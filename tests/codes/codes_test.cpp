#include <gtest/gtest.h>

#include <medretrieval/codes.hpp>
#include <vector>

#include "base/random.hpp"
#include "support/expect_error.hpp"

namespace medretrieval {
namespace {

std::vector<CodeLayout> some_layouts() {
  std::vector<CodeLayout> layouts;
  for (const std::size_t bits : {1U, 7U, 8U, 24U, 32U, 33U, 48U, 64U, 65U, 100U, 128U, 256U, 512U, 1000U}) {
    layouts.push_back(CodeLayout::binary(bits));
  }
  for (const std::size_t subspaces : {1U, 2U, 3U, 8U, 16U, 17U, 64U}) {
    layouts.push_back(CodeLayout::product(subspaces, 4));
    layouts.push_back(CodeLayout::product(subspaces, 8));
  }
  return layouts;
}

std::vector<std::uint8_t> random_rows(const CodeLayout& layout, std::size_t rows, std::uint64_t seed) {
  detail::Random random(seed);
  std::vector<std::uint8_t> packed(rows * layout.row_bytes());
  for (auto& byte : packed) byte = static_cast<std::uint8_t>(random.next());
  if (layout.bits() % 8 != 0) {
    for (std::size_t r = 0; r < rows; ++r) {
      packed[(r + 1) * layout.row_bytes() - 1] &= static_cast<std::uint8_t>((1U << layout.bits() % 8) - 1);
    }
  }
  return packed;
}

TEST(Codes, PackedRowsRoundTripInEveryLayout) {
  for (const auto& layout : some_layouts()) {
    for (const std::size_t rows : {0U, 1U, 63U, 64U, 65U, 200U}) {
      const auto packed = random_rows(layout, rows, 1);
      const Codes codes = Codes::from_rows(layout, rows, packed);
      std::vector<std::uint8_t> back(packed.size());
      for (std::size_t r = 0; r < rows; ++r) codes.get_row(r, back.data() + r * layout.row_bytes());
      EXPECT_EQ(back, packed) << layout.to_string() << ", " << rows << " rows";
    }
  }
}

TEST(Codes, BlocksLieAsDocumented) {
  const auto wide = CodeLayout::binary(128);
  Codes codes(wide, 3);
  std::vector<std::uint8_t> row(16);
  row[9] = 0x02;  // bit 73: word 1, bit 9
  codes.set_row(2, row.data());
  const auto* words = reinterpret_cast<const std::uint64_t*>(codes.view().blocks());
  EXPECT_EQ(words[64 + 2], std::uint64_t{1} << 9);
  EXPECT_EQ(wide.block_bytes(), 1024U);

  const auto nibbles = CodeLayout::product(3, 4);
  EXPECT_EQ(nibbles.block_bytes(), 128U);
  Codes entries(nibbles, 65);
  const std::vector<std::uint8_t> three = {0x21, 0x03};  // entries 1, 2, 3
  entries.set_row(64, three.data());
  EXPECT_EQ(entries.view().block(1)[0], 0x21);
  EXPECT_EQ(entries.view().block(1)[64], 0x03);

  EXPECT_EQ(CodeLayout::binary(32).block_bytes(), 256U);
  EXPECT_EQ(CodeLayout::binary(33).block_bytes(), 512U);
}

TEST(Codes, RefusesWrongSizesAndStrayBits) {
  const auto layout = CodeLayout::binary(12);
  EXPECT_ERROR(Codes::from_rows(layout, 2, std::vector<std::uint8_t>(3)), invalid_argument,
               "2 rows of 2 bytes");
  EXPECT_ERROR(Codes::from_rows(layout, 1, std::vector<std::uint8_t>{0, 0x10}), invalid_argument,
               "beyond the 12");
  EXPECT_ERROR(CodeLayout::binary(0), invalid_argument, "got 0");
  EXPECT_ERROR(CodeLayout::binary(65537), invalid_argument, "65537");
  EXPECT_ERROR(CodeLayout::product(0, 8), invalid_argument, "got 0");
  EXPECT_ERROR(CodeLayout::product(8, 5), invalid_argument, "4 or 8");
  EXPECT_ERROR(Codes(layout, std::size_t{1} << 40), limit_exceeded, "rows");
}

}  // namespace
}  // namespace medretrieval
