#include <algorithm>
#include <cmath>
#include <medretrieval/imaging/nodule_region.hpp>

#include "base/concat.hpp"
#include "imaging/lidc_outline.hpp"
#include "imaging/lung_mask.hpp"

namespace medretrieval::imaging {

using detail::fail;

namespace {

/// Where a stretch of `length` pixels begins so that it stays within `side` pixels.
std::ptrdiff_t moved_inside(std::ptrdiff_t begin, std::size_t length, std::size_t side) {
  return std::clamp<std::ptrdiff_t>(begin, 0, static_cast<std::ptrdiff_t>(side - length));
}

/// The outline's box with a margin, made square about its middle and cut or moved to stay within the slice.
PixelRegion fitted_square(const LidcContour& contour, const Image& slice, double margin_pixels) {
  const cv::Rect box = outline_box(contour.points);
  const auto longest = static_cast<std::size_t>(std::max(box.width, box.height));
  const std::size_t wanted = longest + 2 * static_cast<std::size_t>(std::lround(margin_pixels));
  PixelRegion region;
  region.width = std::min(wanted, slice.width());
  region.height = std::min(wanted, slice.height());
  const auto begin = [](int low, int extent, std::size_t side) {
    return low + (extent - static_cast<std::ptrdiff_t>(side)) / 2;
  };
  region.x = moved_inside(begin(box.x, box.width, region.width), region.width, slice.width());
  region.y = moved_inside(begin(box.y, box.height, region.height), region.height, slice.height());
  return region;
}

/// The outline drawn into the slice, for showing.
Image with_outline(const Image& shown, const LidcContour& contour) {
  Image image = shown;
  for (const LidcPoint point : contour.points) {
    image.at(static_cast<std::size_t>(point.x), static_cast<std::size_t>(point.y)) = 1;
  }
  return image;
}

}  // namespace

PixelRegion square_around(const LidcContour& contour, std::size_t columns, std::size_t rows,
                          std::size_t side) {
  if (contour.points.empty() || side == 0 || side > std::min(columns, rows)) {
    fail(ErrorCode::invalid_argument, "expected an outline and a side of 1 to ", std::min(columns, rows),
         ", got ", contour.points.size(), " points and ", side);
  }
  require_inside(contour, columns, rows);
  const cv::Rect box = outline_box(contour.points);
  const auto half = static_cast<std::ptrdiff_t>(side / 2);
  const int twice_x = 2 * box.x + box.width - 1;
  const int twice_y = 2 * box.y + box.height - 1;
  return {moved_inside(twice_x / 2 - half, side, columns), moved_inside(twice_y / 2 - half, side, rows), side,
          side};
}

Image cut_out(const Image& image, const PixelRegion& region) {
  const bool inside = region.width > 0 && region.height > 0 && region.x >= 0 && region.y >= 0 &&
                      region.width <= image.width() && region.height <= image.height() &&
                      static_cast<std::size_t>(region.x) <= image.width() - region.width &&
                      static_cast<std::size_t>(region.y) <= image.height() - region.height;
  if (!inside) {
    fail(ErrorCode::invalid_argument, "the region ", region.width, " x ", region.height, " at (", region.x,
         ", ", region.y, ") does not lie within an image of ", image.width(), " x ", image.height());
  }
  Image part(region.width, region.height, image.unit());
  for (std::size_t y = 0; y < region.height; ++y) {
    const auto row = image.row(static_cast<std::size_t>(region.y) + y);
    const auto from = row.subspan(static_cast<std::size_t>(region.x), region.width);
    std::copy(from.begin(), from.end(), part.row(y).begin());
  }
  return part;
}

void NoduleRegionOptions::validate() const {
  lung.validate();
  if (!(margin_mm >= 0 && margin_mm <= 100)) {
    fail(ErrorCode::invalid_argument, "margin_mm is ", margin_mm, ", expected 0 to 100");
  }
  if (side < 8 || side > 1024) fail(ErrorCode::invalid_argument, "side is ", side, ", expected 8 to 1024");
}

Image nodule_region(const Image& slice, const LidcContour& contour, const NoduleRegionOptions& options,
                    Explanation* explanation) {
  options.validate();
  if (contour.points.empty()) fail(ErrorCode::invalid_argument, "an outline without points");
  require_inside(contour, slice.width(), slice.height());
  const StepRecorder steps(explanation);
  Image shown = apply_window(slice, options.window);
  steps.add("input", shown);
  if (options.mask) {
    cv::Mat mask = lung_mask(slice, options.lung, steps);
    fill_outline(mask, {0, 0}, contour.points, true, 255);
    shown = masked(shown, mask);
    steps.add("lung", shown);
  }
  if (explanation != nullptr) steps.add("contour", with_outline(shown, contour));
  const PixelRegion square =
      options.fit ? fitted_square(contour, slice, options.margin_mm / options.lung.pixel_spacing_mm)
                  : square_around(contour, slice.width(), slice.height(), options.side);
  Image region = cut_out(shown, square);
  steps.add("crop", region);
  if (options.fit) region = scaled(region, options.side, options.side);
  steps.add("region", region);
  return region;
}

void LungInputOptions::validate() const {
  lung.validate();
  if (side != 0 && (side < 8 || side > 4096)) {
    fail(ErrorCode::invalid_argument, "side is ", side, ", expected 0 or 8 to 4096");
  }
}

Image lung_input(const Image& slice, const LungInputOptions& options, Explanation* explanation) {
  options.validate();
  const StepRecorder steps(explanation);
  const Image shown = apply_window(slice, options.window);
  steps.add("origin", shown);
  Image input = masked(shown, lung_mask(slice, options.lung, steps));
  if (options.side != 0) input = scaled(input, options.side, options.side);
  steps.add("input", input);
  return input;
}

}  // namespace medretrieval::imaging
