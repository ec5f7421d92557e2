// Damaged copies of a file, and what a reader may do with them.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <medretrieval/error.hpp>
#include <span>
#include <vector>

#include "base/random.hpp"
#include "support/make_images.hpp"

namespace medretrieval::testing {

/// Calls read(file) for the first `length` bytes, for every length below the whole in steps of `step`. Each
/// must throw Error, and nothing may be printed.
template <class Read>
void expect_every_cut_is_refused(const std::filesystem::path& file, std::span<const std::uint8_t> whole,
                                 const Read& read, std::size_t step = 1) {
  ::testing::internal::CaptureStderr();
  std::vector<std::size_t> accepted;
  for (std::size_t length = 0; length < whole.size(); length += step) {
    write_bytes(file, whole.first(length));
    try {
      read(file);
      accepted.push_back(length);
    } catch (const Error&) {
    }
  }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  EXPECT_TRUE(accepted.empty()) << "accepted when cut to " << accepted.front() << " of " << whole.size()
                                << " bytes, and " << accepted.size() - 1 << " times more";
}

/// Calls read(file) with a few random bits flipped, `rounds` times. It may return or throw Error, nothing
/// else, and nothing may be printed.
template <class Read>
void expect_flipped_bits_do_no_harm(const std::filesystem::path& file, std::span<const std::uint8_t> whole,
                                    int rounds, const Read& read) {
  ::testing::internal::CaptureStderr();
  detail::Random random(7);
  int refused = 0;
  for (int round = 0; round < rounds; ++round) {
    ByteVector damaged(whole.begin(), whole.end());
    for (std::uint64_t flips = 1 + random.below(4); flips > 0; --flips) {
      damaged[random.below(damaged.size())] ^= static_cast<std::uint8_t>(1U << random.below(8));
    }
    write_bytes(file, damaged);
    try {
      read(file);
    } catch (const Error&) {
      ++refused;
    }
  }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  EXPECT_GT(refused, 0) << "no damage was noticed in " << rounds << " rounds";
}

}  // namespace medretrieval::testing
