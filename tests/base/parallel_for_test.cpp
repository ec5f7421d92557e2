#include "base/parallel_for.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

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

TEST(ParallelFor, NestedLoopsRunSerially) {
  parallel_for(
      4, 2, [](std::size_t) { EXPECT_EQ(resolve_threads(0), omp_in_parallel() ? 1 : resolve_threads(0)); });
  EXPECT_EQ(resolve_threads(3), 3);
  EXPECT_GE(resolve_threads(0), 1);
}

}  // namespace
}  // namespace medretrieval::detail
