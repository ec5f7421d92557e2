// The one parallel loop of the library. Threads are an argument, exceptions come out, nesting runs serially.
#pragma once

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>

#include "base/concat.hpp"

namespace medretrieval::detail {

inline constexpr int kMaxThreads = 1024;

/// `requested` threads, or as many as OpenMP would use when it is 0 or below; 1 inside a parallel region.
/// \throws Error (invalid_argument) above kMaxThreads.
inline int resolve_threads(int requested) {
  if (requested > kMaxThreads) {
    fail(ErrorCode::invalid_argument, "expected at most ", kMaxThreads, " threads, got ", requested);
  }
  if (omp_in_parallel()) return 1;
  return requested > 0 ? requested : std::max(1, omp_get_max_threads());
}

/// OpenMP's number of threads for parallel regions that the calling thread begins.
inline int threads_of_caller() {
  return omp_get_max_threads();
}
inline void set_threads_of_caller(int threads) {
  omp_set_num_threads(threads);
}

/// Calls body(i) for every i below `count` over `threads` threads (0: all). When bodies throw, the loop stops
/// early and the exception of the lowest index that threw is rethrown here.
template <class Body>
void parallel_for(std::size_t count, int threads, const Body& body) {
  const int used =
      static_cast<int>(std::min<std::size_t>(static_cast<std::size_t>(resolve_threads(threads)), count));
  if (used <= 1) {
    for (std::size_t i = 0; i < count; ++i) body(i);
    return;
  }
  std::atomic<bool> stop{false};
  std::exception_ptr first;
  std::size_t first_index = count;
#pragma omp parallel for num_threads(used) schedule(dynamic, 1)
  for (std::size_t i = 0; i < count; ++i) {
    if (stop.load(std::memory_order_relaxed)) continue;
    try {
      body(i);
    } catch (...) {
      stop.store(true, std::memory_order_relaxed);
#pragma omp critical(medretrieval_parallel_for)
      if (i < first_index) {
        first_index = i;
        first = std::current_exception();
      }
    }
  }
  if (first) std::rethrow_exception(first);
}

}  // namespace medretrieval::detail
