#include "progress_line.hpp"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <string>

namespace medretrieval::cli {

namespace {

volatile std::sig_atomic_t cancel_requested = 0;

/// Rewrites the line at most ten times a second.
class Line {
 public:
  void draw(const ProgressReport& report) {
    const auto now = std::chrono::steady_clock::now();
    const bool last = report.done == report.total;
    if (!last && now - drawn_ < std::chrono::milliseconds(100)) return;
    drawn_ = now;
    constexpr std::size_t kWidth = 30;
    const std::size_t filled = report.total == 0 ? kWidth : kWidth * report.done / report.total;
    const std::string bar = std::string(filled, '=') + std::string(kWidth - filled, ' ');
    std::fprintf(stderr, "\r\033[K%.*s [%s] %zu/%zu%s", static_cast<int>(report.stage.size()),
                 report.stage.data(), bar.c_str(), report.done, report.total, time_left(report, now).c_str());
    if (last) std::fputs("\r\033[K", stderr);
    std::fflush(stderr);
  }

 private:
  using Clock = std::chrono::steady_clock;

  /// From what was done since the stage began; empty in its first two seconds.
  std::string time_left(const ProgressReport& report, Clock::time_point now) {
    if (report.total != total_ || report.done < first_) {
      begun_ = now;
      first_ = report.done;
      total_ = report.total;
    }
    const double seconds = std::chrono::duration<double>(now - begun_).count();
    if (seconds < 2 || report.done == first_) return "";
    const double left =
        seconds * static_cast<double>(report.total - report.done) / static_cast<double>(report.done - first_);
    char text[48];
    std::snprintf(text, sizeof text, ", %.0f s left", left);
    return text;
  }

  Clock::time_point drawn_;
  Clock::time_point begun_;
  std::size_t first_ = 0;  // done when the stage was first seen
  std::size_t total_ = 0;
};

}  // namespace

void request_cancellation(int) {
  cancel_requested = 1;
}

Progress progress_line() {
  const bool visible = ::isatty(STDERR_FILENO) != 0 && spdlog::should_log(spdlog::level::info);
  return [line = Line(), visible](const ProgressReport& report) mutable {
    if (visible) line.draw(report);
    return cancel_requested == 0;
  };
}

}  // namespace medretrieval::cli
