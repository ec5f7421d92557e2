// libtorch's number of threads for the length of a call.
#pragma once

namespace medretrieval::deep {

/// Sets libtorch's threads (0: all) and puts back what there was. libtorch keeps one number for the program: when
/// several calls run at once, the first decides and the last puts back. Does nothing within a parallel loop, where
/// libtorch uses one thread anyway.
class ThreadScope {
 public:
  explicit ThreadScope(int threads);
  ~ThreadScope();
  ThreadScope(const ThreadScope&) = delete;
  ThreadScope& operator=(const ThreadScope&) = delete;

 private:
  bool counts_;
};

}  // namespace medretrieval::deep
