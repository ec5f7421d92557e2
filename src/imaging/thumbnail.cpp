#include <algorithm>
#include <medretrieval/imaging/image.hpp>
#include <opencv2/imgproc.hpp>

#include "base/concat.hpp"

namespace medretrieval::imaging {

Image thumbnail(const Image& image, std::size_t longest_side) {
  if (longest_side == 0 || image.empty()) {
    detail::fail(ErrorCode::invalid_argument, "thumbnail: expected an image and a side of at least 1, got ",
                 image.width(), " x ", image.height(), " and ", longest_side);
  }
  const std::size_t longest = std::max(image.width(), image.height());
  if (longest <= longest_side) return image;
  const auto scaled = [&](std::size_t side) {
    return std::max<std::size_t>(1, side * longest_side / longest);
  };
  Image small(scaled(image.width()), scaled(image.height()), image.unit());
  const cv::Mat from(static_cast<int>(image.height()), static_cast<int>(image.width()), CV_32F,
                     const_cast<float*>(image.pixels().data()));  // read only
  cv::Mat to(static_cast<int>(small.height()), static_cast<int>(small.width()), CV_32F,
             small.pixels().data());
  cv::resize(from, to, to.size(), 0, 0, cv::INTER_AREA);
  return small;
}

}  // namespace medretrieval::imaging
