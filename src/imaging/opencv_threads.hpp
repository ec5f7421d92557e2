// OpenCV's own threads, which would compete with those of a loop that calls it.
#pragma once

#include <opencv2/core/utility.hpp>

namespace medretrieval::imaging {

/// While one lives, OpenCV works in the threads that call it. The setting is one for the process; what it was
/// comes back at the end.
class SingleThreadedOpenCv {
 public:
  SingleThreadedOpenCv() : before_(cv::getNumThreads()) { cv::setNumThreads(1); }
  ~SingleThreadedOpenCv() { cv::setNumThreads(before_); }
  SingleThreadedOpenCv(const SingleThreadedOpenCv&) = delete;
  SingleThreadedOpenCv& operator=(const SingleThreadedOpenCv&) = delete;

 private:
  int before_;
};

}  // namespace medretrieval::imaging
