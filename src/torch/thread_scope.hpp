// libtorch's number of threads for the length of a call.
#pragma once

namespace medretrieval::deep {

/// Sets the threads of libtorch (0: all) and of the matrix products beneath it, and puts back what there was. libtorch keeps
/// a number for each thread that calls it, and one for threads that call it first; the latter, and that of the matrix products,
/// is put back by the last of several calls at once. A thread whose first call of libtorch falls into another's gets
/// OpenMP's own number back. Within a parallel loop libtorch uses one thread anyway, and its
/// number stays.
class ThreadScope {
 public:
  explicit ThreadScope(int threads);
  ~ThreadScope();
  ThreadScope(const ThreadScope&) = delete;
  ThreadScope& operator=(const ThreadScope&) = delete;

 private:
  bool counts_;
  int before_ = 1;  // of the calling thread
};

}  // namespace medretrieval::deep
