// Codes, what a pool must keep of them, and the distances to compare with.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <medretrieval/scorer.hpp>
#include <numeric>
#include <string>
#include <vector>

#include "base/random.hpp"

namespace medretrieval {

inline std::vector<ItemId> shuffled_ids(std::size_t rows, detail::Random& random) {
  std::vector<ItemId> ids(rows);
  std::iota(ids.begin(), ids.end(), ItemId{1000});
  for (std::size_t i = rows; i > 1; --i) std::swap(ids[i - 1], ids[random.below(i)]);
  return ids;
}

/// What a pool must hold: the `capacity` smallest by (distance, id) of the rows that count.
inline std::vector<Candidate> expected_pool(const ScanPart& part, const std::vector<float>& distances,
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

inline void expect_equal(const std::vector<Candidate>& got, const std::vector<Candidate>& expected,
                         const std::string& what) {
  ASSERT_EQ(got.size(), expected.size()) << what;
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i].id, expected[i].id) << what << ", place " << i;
    EXPECT_EQ(got[i].distance, expected[i].distance) << what << ", place " << i;
    EXPECT_EQ(got[i].row, expected[i].row) << what << ", place " << i;
  }
}

inline Codes random_codes(const CodeLayout& layout, std::size_t rows, std::size_t distinct,
                          detail::Random& random) {
  Codes codes(layout, rows);
  std::vector<std::vector<std::uint8_t>> values(distinct, std::vector<std::uint8_t>(layout.row_bytes()));
  for (auto& value : values) {
    for (auto& byte : value) byte = static_cast<std::uint8_t>(random.next());
    if (layout.bits() % 8 != 0) value.back() &= static_cast<std::uint8_t>((1U << layout.bits() % 8) - 1);
  }
  for (std::size_t r = 0; r < rows; ++r) codes.set_row(r, values[random.below(distinct)].data());
  return codes;
}

inline std::vector<float> hamming_distances(const Codes& codes, const Codes& query) {
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

}  // namespace medretrieval
