#include <algorithm>
#include <medretrieval/imaging/nodule_region.hpp>
#include <opencv2/imgproc.hpp>

#include "base/concat.hpp"
#include "imaging/lung_mask.hpp"

namespace medretrieval::imaging {

using detail::fail;

namespace {

constexpr int kGap = 4;
constexpr int kCaption = 20;  // height of the line below an image
constexpr float kGround = 0.25F;

/// The image enlarged or shrunk to fit a square, each pixel a block when it is enlarged.
cv::Mat fitted(const Image& image, int cell) {
  const double factor =
      static_cast<double>(cell) / static_cast<double>(std::max(image.width(), image.height()));
  const auto side = [&](std::size_t length) {
    return std::max(1, static_cast<int>(static_cast<double>(length) * factor));
  };
  cv::Mat result;
  cv::resize(pixels_of(image), result, {side(image.width()), side(image.height())}, 0, 0,
             factor < 1 ? cv::INTER_AREA : cv::INTER_NEAREST);
  return result;
}

}  // namespace

Image contact_sheet(const Explanation& steps, std::size_t cell, std::size_t columns) {
  if (steps.empty() || cell < 32 || cell > 1024 || columns < 1 || columns > 64) {
    fail(ErrorCode::invalid_argument,
         "a contact sheet needs steps, a cell of 32 to 1024 and 1 to 64 columns; got ", steps.size(), ", ",
         cell, " and ", columns);
  }
  const std::size_t across = std::min(columns, steps.size());
  const std::size_t down = (steps.size() + across - 1) / across;
  Image sheet(across * (cell + kGap) + kGap, down * (cell + kGap + kCaption) + kGap, PixelUnit::display);
  std::fill(sheet.pixels().begin(), sheet.pixels().end(), kGround);
  cv::Mat target = pixels_of(sheet);
  const int side = static_cast<int>(cell);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const int x = kGap + static_cast<int>(i % across) * (side + kGap);
    const int y = kGap + static_cast<int>(i / across) * (side + kGap + kCaption);
    const cv::Mat shown = fitted(steps[i].image, side);
    shown.copyTo(target(cv::Rect({x, y}, shown.size())));
    cv::putText(target, steps[i].name, {x, y + side + kCaption - 6}, cv::FONT_HERSHEY_SIMPLEX, 0.4,
                cv::Scalar(1));
  }
  return sheet;
}

}  // namespace medretrieval::imaging
