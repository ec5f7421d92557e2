// Batches that are loaded while the network works.
#pragma once

#include <cstddef>
#include <functional>
#include <future>
#include <utility>

namespace medretrieval::deep {

/// Hands out batches in order and loads each while the caller works on the one before. Its end waits for a batch on the way.
template <class Batch>
class BatchesAhead {
 public:
  /// \param load makes batch `number`, 0 to `count` - 1, in a thread of its own
  BatchesAhead(std::size_t count, std::function<Batch(std::size_t number)> load)
      : count_(count), load_(std::move(load)) {
    start();
  }

  /// At most `count` times. Throws what loading threw.
  Batch next() {
    Batch batch = on_its_way_.get();
    start();
    return batch;
  }

 private:
  void start() {
    if (started_ == count_) return;
    on_its_way_ = std::async(std::launch::async, load_, started_++);
  }

  std::size_t count_;
  std::size_t started_ = 0;
  std::function<Batch(std::size_t)> load_;
  std::future<Batch> on_its_way_;
};

}  // namespace medretrieval::deep
