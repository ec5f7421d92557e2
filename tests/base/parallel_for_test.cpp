#include "base/parallel_for.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/expect_error.hpp"

namespace medretrieval::detail {
namespace {

TEST(ParallelFor, VisitsEveryIndexOnce) {
  for (const int threads : {0, 1, 2, 8}) {
    std::vector<int> visits(1000, 0);
    parallel_for(visits.size(), threads, [&](std::size_t i) { ++visits[i]; });
    for (const int count : visits) EXPECT_EQ(count, 1);
  }
}

TEST(ParallelFor, CarriesTheExceptionOut) {
  for (const int threads : {1, 2, 8}) {
    try {
      parallel_for(100, threads, [](std::size_t i) {
        if (i == 37) throw std::runtime_error("body " + std::to_string(i));
      });
      FAIL() << "no exception with " << threads << " threads";
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "body 37");
    }
  }
}

TEST(ParallelFor, RethrowsTheLowestIndexThatThrew) {
  // Both bodies are at work when they throw: each waits for the other.
  std::atomic<int> begun{0};
  try {
    parallel_for(2, 2, [&](std::size_t i) {
      ++begun;
      while (begun < 2) std::this_thread::yield();
      throw std::runtime_error("body " + std::to_string(i));
    });
    FAIL() << "no exception";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "body 0");
  }
}

TEST(ParallelFor, NestedLoopsRunSerially) {
  std::atomic<int> inner{0};
  parallel_for(4, 2, [&](std::size_t) {
    EXPECT_EQ(resolve_threads(8), 1);
    const auto outer_thread = std::this_thread::get_id();
    parallel_for(10, 8, [&](std::size_t) {
      EXPECT_EQ(std::this_thread::get_id(), outer_thread);
      ++inner;
    });
  });
  EXPECT_EQ(inner, 40);
  EXPECT_EQ(resolve_threads(3), 3);
  EXPECT_GE(resolve_threads(0), 1);
}

TEST(ParallelFor, RefusesTooManyThreads) {
  EXPECT_ERROR(resolve_threads(1025), invalid_argument, "at most 1024 threads, got 1025");
}

}  // namespace
}  // namespace medretrieval::detail
