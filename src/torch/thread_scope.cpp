#include "torch/thread_scope.hpp"

#include <ATen/Parallel.h>
#include <dlfcn.h>

#include <mutex>

#include "base/parallel_for.hpp"

namespace medretrieval::deep {

namespace {

/// OpenBLAS under libtorch's matrix products does not know of libtorch's number of threads; left alone it takes all
/// processors.
class BlasThreads {
 public:
  BlasThreads()
      : kind_(function<int()>("openblas_get_parallel")),
        get_(function<int()>("openblas_get_num_threads")),
        set_(function<void(int)>("openblas_set_num_threads")) {}

  /// 0: another BLAS, which cannot be asked.
  int count() const { return get_ != nullptr ? get_() : 0; }
  void set(int count) const {
    if (set_ != nullptr && count > 0) set_(count);
  }
  /// How many go well with `threads` of libtorch. Threads of its own wait busily for work, and take the processors from
  /// libtorch's, which do the same: a network with an LSTM then takes twice as long as on one thread.
  int beside(int threads) const { return kind_ != nullptr && kind_() == kOwnThreads ? 1 : threads; }

 private:
  static constexpr int kOwnThreads = 1;

  template <class Function>
  static Function* function(const char* name) {
    return reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, name));
  }

  int (*kind_)();
  int (*get_)();
  void (*set_)(int);
};

struct Scopes {
  std::mutex mutex;
  int open = 0;
  int counting = 0;  // of those, outside of parallel loops
  int before = 1;    // of threads that call libtorch first
  int blas_before = 0;
  BlasThreads blas;
};

Scopes& scopes() {
  static Scopes instance;
  return instance;
}

}  // namespace

ThreadScope::ThreadScope(int threads) : counts_(!at::in_parallel_region()) {
  const int wanted = detail::resolve_threads(threads);
  const std::lock_guard lock(scopes().mutex);
  if (scopes().open++ == 0) {
    scopes().blas_before = scopes().blas.count();
    scopes().blas.set(scopes().blas.beside(wanted));
  }
  if (!counts_) return;
  // A thread's first question to libtorch gives it the program's number, which is another call's while that runs.
  before_ = detail::threads_of_caller();
  const int asked = at::get_num_threads();
  if (scopes().counting++ == 0) scopes().before = before_ = asked;
  at::set_num_threads(wanted);
}

ThreadScope::~ThreadScope() {
  const std::lock_guard lock(scopes().mutex);
  if (--scopes().open == 0) scopes().blas.set(scopes().blas_before);
  if (!counts_) return;
  const bool last = --scopes().counting == 0;
  at::set_num_threads(last ? scopes().before : before_);
  if (last) detail::set_threads_of_caller(before_);  // at's number is the program's now, the thread's its own
}

}  // namespace medretrieval::deep
