#include "imaging/opencv_threads.hpp"

#include <mutex>
#include <opencv2/core/utility.hpp>

namespace medretrieval::imaging {

namespace {

std::mutex mutex;
int living = 0;
int threads_before = 1;

}  // namespace

SingleThreadedOpenCv::SingleThreadedOpenCv() {
  const std::lock_guard lock(mutex);
  if (living++ > 0) return;
  threads_before = cv::getNumThreads();
  cv::setNumThreads(1);
}

SingleThreadedOpenCv::~SingleThreadedOpenCv() {
  const std::lock_guard lock(mutex);
  if (--living == 0) cv::setNumThreads(threads_before);
}

int opencv_threads() {
  return cv::getNumThreads();
}

}  // namespace medretrieval::imaging
