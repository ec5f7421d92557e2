// The lungs of an axial slice as a mask, step by step.
#pragma once

#include <medretrieval/imaging/nodule_region.hpp>
#include <opencv2/core.hpp>
#include <string>

namespace medretrieval::imaging {

/// A view of the pixels, CV_32F; not to be written through.
cv::Mat pixels_of(const Image& image);

/// Keeps intermediate images when somebody asked for them.
class StepRecorder {
 public:
  explicit StepRecorder(Explanation* steps) : steps_(steps) {}
  void add(const std::string& name, const Image& image) const {
    if (steps_ != nullptr) steps_->push_back({name, image});
  }
  /// A mask, white where it is not 0.
  void add(const std::string& name, const cv::Mat& mask) const;

 private:
  Explanation* steps_;
};

/// CV_8U of the size of the slice, 255 in the lungs. Radii that come to 0 pixels leave their step out.
/// \throws Error (invalid_argument): options, or a slice that is not in Hounsfield units.
cv::Mat lung_mask(const Image& slice, const LungMaskOptions& options, const StepRecorder& steps);

/// `image` with black where `mask` is 0.
Image masked(const Image& image, const cv::Mat& mask);

/// `image` scaled: means of areas where it shrinks, else bilinear. Display units stay within 0..1.
Image scaled(const Image& image, std::size_t width, std::size_t height);

}  // namespace medretrieval::imaging
