// OpenCV's own threads, which would compete with those of a loop that calls it.
#pragma once

namespace medretrieval::imaging {

/// While one or more live, OpenCV works in the threads that call it. The setting is one for the process; what it
/// was before the first comes back after the last. Thread-safe.
class SingleThreadedOpenCv {
 public:
  SingleThreadedOpenCv();
  ~SingleThreadedOpenCv();
  SingleThreadedOpenCv(const SingleThreadedOpenCv&) = delete;
  SingleThreadedOpenCv& operator=(const SingleThreadedOpenCv&) = delete;
};

/// How many threads OpenCV may use now.
int opencv_threads();

}  // namespace medretrieval::imaging
