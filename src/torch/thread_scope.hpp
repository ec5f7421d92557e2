// libtorch's number of threads for the length of a call.
#pragma once

namespace medretrieval::deep {

/// Sets the threads of libtorch (0: all) and of the matrix products beneath it, and puts back what there was. Both keep
/// one number for the program: when several calls run at once, the first decides and the last puts back. Within a
/// parallel loop libtorch uses one thread anyway, and its number stays.
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
