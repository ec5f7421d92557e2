#include "torch/thread_scope.hpp"

#include <ATen/Parallel.h>
#include <dlfcn.h>

#include <mutex>

#include "base/parallel_for.hpp"

namespace medretrieval::deep {

namespace {

/// OpenBLAS with threads of its own, under libtorch's matrix products, does not know of libtorch's number; left
/// alone it takes all processors, and its waiting threads take them from others.
class BlasThreads {
 public:
  BlasThreads()
      : get_(reinterpret_cast<int (*)()>(dlsym(RTLD_DEFAULT, "openblas_get_num_threads"))),
        set_(reinterpret_cast<void (*)(int)>(dlsym(RTLD_DEFAULT, "openblas_set_num_threads"))) {}

  /// 0: another BLAS, which cannot be asked.
  int count() const { return get_ != nullptr ? get_() : 0; }
  void set(int count) const {
    if (set_ != nullptr && count > 0) set_(count);
  }

 private:
  int (*get_)();
  void (*set_)(int);
};

struct Scopes {
  std::mutex mutex;
  int open = 0;
  int before = 1;
  int blas_before = 0;
  BlasThreads blas;
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
  scopes().blas_before = scopes().blas.count();
  at::set_num_threads(wanted);
  scopes().blas.set(wanted);
}

ThreadScope::~ThreadScope() {
  if (!counts_) return;
  const std::lock_guard lock(scopes().mutex);
  if (--scopes().open > 0) return;
  at::set_num_threads(scopes().before);
  scopes().blas.set(scopes().blas_before);
}

}  // namespace medretrieval::deep
