// Threads of libtorch are put back, whoever ends first.
#include "torch/thread_scope.hpp"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <thread>

namespace medretrieval::deep {
namespace {

TEST(ThreadScope, PutsBackWhatWasThere) {
  const int before = at::get_num_threads();
  {
    const ThreadScope outer(3);
    EXPECT_EQ(at::get_num_threads(), 3);
    {
      const ThreadScope inner(1);
      EXPECT_EQ(at::get_num_threads(), 1);
    }
    EXPECT_EQ(at::get_num_threads(), 3);
  }
  EXPECT_EQ(at::get_num_threads(), before);
}

int threads_of_a_new_thread() {
  return std::async(std::launch::async, [] { return at::get_num_threads(); }).get();
}

TEST(ThreadScope, IsApartFromThatOfAnotherThread) {
  const int before = at::get_num_threads();
  const int of_new_threads = threads_of_a_new_thread();
  auto first = std::make_unique<ThreadScope>(1);
  std::promise<void> first_has_ended;
  std::promise<void> second_has_begun;
  std::thread other([&] {
    at::set_num_threads(2);
    {
      const ThreadScope second(4);
      EXPECT_EQ(at::get_num_threads(), 4);
      second_has_begun.set_value();
      first_has_ended.get_future().wait();
      EXPECT_EQ(at::get_num_threads(), 4);
    }
    EXPECT_EQ(at::get_num_threads(), 2);
  });
  second_has_begun.get_future().wait();
  EXPECT_EQ(at::get_num_threads(), 1);
  first.reset();
  EXPECT_EQ(at::get_num_threads(), before);
  first_has_ended.set_value();
  other.join();
  EXPECT_EQ(at::get_num_threads(), before);
  EXPECT_EQ(threads_of_a_new_thread(), of_new_threads);
}

}  // namespace
}  // namespace medretrieval::deep
