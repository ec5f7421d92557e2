#include "imaging/lung_mask.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <opencv2/imgproc.hpp>
#include <tuple>
#include <vector>

#include "base/concat.hpp"

namespace medretrieval::imaging {

using detail::fail;

namespace {

constexpr double kMaxRadiusMm = 50;
constexpr int kMaxRadiusPixels = 64;
constexpr int kEightNeighbours = 8;
constexpr std::size_t kMaxSliceSide = 4096;
// OpenCV looks at every pixel of the disc for every pixel of the slice: a fraction of a second for so many,
// and a minute for the largest disc in the largest slice.
constexpr std::size_t kMaxComparedPixels = std::size_t{1} << 34;

int radius_in_pixels(double radius_mm, double spacing_mm) {
  return static_cast<int>(std::lround(radius_mm / spacing_mm));
}

void require_radius(const char* name, double radius_mm, double spacing_mm) {
  if (!(radius_mm >= 0 && radius_mm <= kMaxRadiusMm) ||
      radius_in_pixels(radius_mm, spacing_mm) > kMaxRadiusPixels) {
    fail(ErrorCode::invalid_argument, name, " is ", radius_mm, " mm, expected 0 to ", kMaxRadiusMm,
         " mm and at most ", kMaxRadiusPixels, " pixels of ", spacing_mm, " mm");
  }
}

void require_little_work(const Image& slice, int radius) {
  const auto side = static_cast<std::size_t>(2 * radius + 1);
  if (slice.width() * slice.height() > kMaxComparedPixels / (side * side)) {
    fail(ErrorCode::limit_exceeded, "a radius of ", radius, " pixels in a slice of ", slice.width(), " x ",
         slice.height(), " is more work than is done for lungs");
  }
}

/// The parts of a mask that hang together.
struct Components {
  explicit Components(const cv::Mat& mask) {
    cv::Mat centroids;
    count = cv::connectedComponentsWithStats(mask, labels, statistics, centroids, kEightNeighbours, CV_32S);
  }
  /// The mask of the components for which `kept` is true; 0 is the background.
  cv::Mat only(const std::vector<char>& kept) const {
    cv::Mat mask(labels.size(), CV_8U);
    for (int y = 0; y < labels.rows; ++y) {
      const int* label = labels.ptr<int>(y);
      std::transform(label, label + labels.cols, mask.ptr<unsigned char>(y), [&](int component) {
        return static_cast<unsigned char>(kept[static_cast<std::size_t>(component)] != 0 ? 255 : 0);
      });
    }
    return mask;
  }
  int statistic(int component, int which) const { return statistics.at<int>(component, which); }
  bool touches_edge(int component) const {
    const int left = statistic(component, cv::CC_STAT_LEFT);
    const int top = statistic(component, cv::CC_STAT_TOP);
    return left == 0 || top == 0 || left + statistic(component, cv::CC_STAT_WIDTH) == labels.cols ||
           top + statistic(component, cv::CC_STAT_HEIGHT) == labels.rows;
  }

  int count = 0;  ///< with the background
  cv::Mat labels;
  cv::Mat statistics;
};

cv::Mat without_edge_components(const cv::Mat& mask) {
  const Components components(mask);
  std::vector<char> kept(static_cast<std::size_t>(components.count), 0);
  for (int i = 1; i < components.count; ++i) {
    kept[static_cast<std::size_t>(i)] = components.touches_edge(i) ? 0 : 1;
  }
  return components.only(kept);
}

/// The largest areas; of equal ones those that begin further up, then further left.
cv::Mat largest_components(const cv::Mat& mask, int number) {
  const Components components(mask);
  std::vector<int> order(static_cast<std::size_t>(components.count - 1));
  std::iota(order.begin(), order.end(), 1);
  const auto key = [&](int i) {
    return std::tuple(-components.statistic(i, cv::CC_STAT_AREA), components.statistic(i, cv::CC_STAT_TOP),
                      components.statistic(i, cv::CC_STAT_LEFT));
  };
  std::sort(order.begin(), order.end(), [&](int a, int b) { return key(a) < key(b); });
  order.resize(std::min(order.size(), static_cast<std::size_t>(number)));
  std::vector<char> kept(static_cast<std::size_t>(components.count), 0);
  for (const int component : order) kept[static_cast<std::size_t>(component)] = 1;
  return components.only(kept);
}

/// One morphological step of a slice's mask.
class Morphology {
 public:
  Morphology(double spacing_mm, const StepRecorder& steps) : spacing_mm_(spacing_mm), steps_(steps) {}
  void apply(cv::Mat& mask, int operation, double radius_mm, const char* name) const {
    const int radius = radius_in_pixels(radius_mm, spacing_mm_);
    if (radius == 0) return;
    const cv::Mat disc = cv::getStructuringElement(cv::MORPH_ELLIPSE, {2 * radius + 1, 2 * radius + 1});
    cv::morphologyEx(mask, mask, operation, disc);
    steps_.add(name, mask);
  }

 private:
  double spacing_mm_;
  const StepRecorder& steps_;
};

}  // namespace

cv::Mat pixels_of(const Image& image) {
  return {static_cast<int>(image.height()), static_cast<int>(image.width()), CV_32F,
          const_cast<float*>(image.pixels().data())};
}

void StepRecorder::add(const std::string& name, const cv::Mat& mask) const {
  if (steps_ == nullptr) return;
  Image image(static_cast<std::size_t>(mask.cols), static_cast<std::size_t>(mask.rows), PixelUnit::display);
  cv::Mat target = pixels_of(image);
  mask.convertTo(target, CV_32F, 1.0 / 255);
  steps_->push_back({name, std::move(image)});
}

void LungMaskOptions::validate() const {
  if (!std::isfinite(threshold_hu)) {
    fail(ErrorCode::invalid_argument, "threshold_hu is ", threshold_hu, ", expected a finite number");
  }
  if (components < 0 || components > 1000) {
    fail(ErrorCode::invalid_argument, "components is ", components, ", expected 0 to 1000");
  }
  if (!(pixel_spacing_mm > 0 && std::isfinite(pixel_spacing_mm))) {
    fail(ErrorCode::invalid_argument, "pixel_spacing_mm is ", pixel_spacing_mm, ", expected more than 0");
  }
  require_radius("closing_mm", closing_mm, pixel_spacing_mm);
  require_radius("opening_mm", opening_mm, pixel_spacing_mm);
  require_radius("dilation_mm", dilation_mm, pixel_spacing_mm);
}

cv::Mat lung_mask(const Image& slice, const LungMaskOptions& options, const StepRecorder& steps) {
  options.validate();
  if (slice.empty() || slice.unit() != PixelUnit::hounsfield) {
    fail(ErrorCode::invalid_argument, "lungs are looked for in a slice in Hounsfield units, got ",
         slice.empty() ? "no image" : "another unit");
  }
  if (std::max(slice.width(), slice.height()) > kMaxSliceSide) {
    fail(ErrorCode::limit_exceeded, "lungs are looked for in slices of up to ", kMaxSliceSide,
         " pixels a side, got ", slice.width(), " x ", slice.height());
  }
  cv::Mat mask = pixels_of(slice) < options.threshold_hu;
  steps.add("binary", mask);
  if (options.clear_border) {
    mask = without_edge_components(mask);
    steps.add("clear border", mask);
  }
  for (const double radius_mm : {options.closing_mm, options.opening_mm, options.dilation_mm}) {
    require_little_work(slice, radius_in_pixels(radius_mm, options.pixel_spacing_mm));
  }
  const Morphology morphology(options.pixel_spacing_mm, steps);
  morphology.apply(mask, cv::MORPH_CLOSE, options.closing_mm, "closing");
  morphology.apply(mask, cv::MORPH_OPEN, options.opening_mm, "opening");
  if (options.components > 0) {
    mask = largest_components(mask, options.components);
    steps.add("largest components", mask);
  }
  morphology.apply(mask, cv::MORPH_DILATE, options.dilation_mm, "dilation");
  return mask;
}

Image masked(const Image& image, const cv::Mat& mask) {
  Image result(image.width(), image.height(), image.unit());
  cv::Mat target = pixels_of(result);
  pixels_of(image).copyTo(target, mask);
  return result;
}

Image scaled(const Image& image, std::size_t width, std::size_t height) {
  Image result(width, height, image.unit());
  cv::Mat target = pixels_of(result);
  const bool shrinks = width < image.width() || height < image.height();
  cv::resize(pixels_of(image), target, target.size(), 0, 0, shrinks ? cv::INTER_AREA : cv::INTER_LINEAR);
  return result;
}

}  // namespace medretrieval::imaging
