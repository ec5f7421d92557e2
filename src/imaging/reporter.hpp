// Progress of work on many images at once.
#pragma once

#include <algorithm>
#include <cstddef>
#include <medretrieval/error.hpp>
#include <medretrieval/progress.hpp>
#include <mutex>

#include "base/concat.hpp"

namespace medretrieval::imaging {

/// Counts finished images for a progress callback, from many threads but one at a time.
class Reporter {
 public:
  Reporter(const Progress& progress, const char* stage, std::size_t total)
      : progress_(progress), stage_(stage), total_(total) {}

  /// Another total, once more is known. Not while one_done() runs.
  void expect(std::size_t total) { total_ = total; }

  /// A total that is reached too early grows.
  /// \throws Error (cancelled) when the callback asks to stop.
  void one_done() {
    if (!progress_) return;
    const std::lock_guard lock(mutex_);
    if (!cancelled_) {  // who has said no is not asked again
      total_ = std::max(total_, ++done_);
      cancelled_ = !progress_({stage_, done_, total_});
    }
    if (cancelled_)
      detail::fail(ErrorCode::cancelled, stage_, " was cancelled after ", done_, " of ", total_);
  }

 private:
  const Progress& progress_;
  const char* stage_;
  std::mutex mutex_;
  std::size_t total_;
  std::size_t done_ = 0;
  bool cancelled_ = false;
};

}  // namespace medretrieval::imaging
