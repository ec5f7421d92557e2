#include "torch/thread_scope.hpp"

#include <ATen/Parallel.h>

#include <mutex>

#include "base/parallel_for.hpp"

namespace medretrieval::deep {

namespace {

struct Scopes {
  std::mutex mutex;
  int open = 0;
  int before = 1;
};

Scopes& scopes() {
  static Scopes instance;
  return instance;
}

}  // namespace

ThreadScope::ThreadScope(int threads) : counts_(!at::in_parallel_region()) {
  if (!counts_) return;
  const int wanted = detail::resolve_threads(threads);
  const std::lock_guard lock(scopes().mutex);
  if (scopes().open++ > 0) return;
  scopes().before = at::get_num_threads();
  at::set_num_threads(wanted);
}

ThreadScope::~ThreadScope() {
  if (!counts_) return;
  const std::lock_guard lock(scopes().mutex);
  if (--scopes().open == 0) at::set_num_threads(scopes().before);
}

}  // namespace medretrieval::deep
