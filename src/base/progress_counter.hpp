// Counts finished work from several threads and reports it to a progress callback.
#pragma once

#include <cstddef>
#include <medretrieval/error.hpp>
#include <medretrieval/progress.hpp>
#include <mutex>
#include <string>

#include "base/concat.hpp"

namespace medretrieval::detail {

class ProgressCounter {
 public:
  ProgressCounter(const Progress& progress, std::string stage, std::size_t total)
      : progress_(progress), stage_(std::move(stage)), total_(total) {}

  /// \throws Error (cancelled) when the callback asks to stop.
  void add(std::size_t units) {
    if (!progress_) return;
    const std::lock_guard lock(mutex_);
    done_ += units;
    if (!progress_({stage_, done_, total_})) {
      fail(ErrorCode::cancelled, stage_, ": cancelled after ", done_, " of ", total_);
    }
  }

 private:
  const Progress& progress_;
  std::string stage_;
  std::size_t total_;
  std::size_t done_ = 0;
  std::mutex mutex_;
};

}  // namespace medretrieval::detail
