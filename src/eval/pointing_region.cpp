#include <algorithm>
#include <cmath>
#include <medretrieval/eval/pointing_game.hpp>
#include <numeric>

#include "base/concat.hpp"

namespace medretrieval::eval {

using detail::fail;

namespace {

void check_sides(std::size_t width, std::size_t height) {
  if (width == 0 || height == 0) {
    fail(ErrorCode::invalid_argument, "region: expected an image with pixels, got ", width, " x ", height);
  }
  if (width > kMaxRegionSide || height > kMaxRegionSide) {
    fail(ErrorCode::limit_exceeded, "region: expected sides of at most ", kMaxRegionSide, " pixels, got ",
         width, " x ", height);
  }
}

void check_box(const Box& box, std::size_t width, std::size_t height) {
  const bool inside = box.left >= 0 && box.top >= 0 && box.width > 0 && box.height > 0 &&
                      box.left + box.width <= static_cast<double>(width) &&
                      box.top + box.height <= static_cast<double>(height);
  if (!inside) {  // also where a number is none
    fail(ErrorCode::invalid_argument, "region: expected a box inside ", width, " x ", height,
         " pixels, got left ", box.left, ", top ", box.top, ", width ", box.width, ", height ", box.height);
  }
}

/// The first and the last pixel along one axis, both within.
struct Span {
  std::size_t first;
  std::size_t last;
};

/// The pixels whose middle is in [from, from + length), or the one that its middle lies in.
Span pixels_of(double from, double length, std::size_t side) {
  const auto limit = static_cast<double>(side - 1);
  const double first = std::ceil(from - 0.5);
  const double last = std::ceil(from + length - 0.5) - 1;
  const double middle = std::floor(from + length / 2);
  const bool none = first > last;
  const auto pixel = [&](double place) { return static_cast<std::size_t>(std::clamp(place, 0.0, limit)); };
  return {pixel(none ? middle : first), pixel(none ? middle : last)};
}

/// For every pixel how many rows away the nearest pixel of the region in its column is; `none` where there is none.
std::vector<std::size_t> row_distances(const Region& region, std::size_t none) {
  const std::size_t width = region.width();
  std::vector<std::size_t> rows(width * region.height(), none);
  const auto follow = [&](std::size_t x, std::size_t y, std::size_t before) {
    std::size_t& value = rows[y * width + x];
    value = region.contains(x, y) ? 0 : std::min(value, before + 1);
    return std::min(value, none - 1);
  };
  for (std::size_t x = 0; x < width; ++x) {
    std::size_t before = none - 1;
    for (std::size_t y = 0; y < region.height(); ++y) before = follow(x, y, before);
    before = none - 1;
    for (std::size_t y = region.height(); y-- > 0;) before = follow(x, y, before);
  }
  return rows;
}

/// The largest whole number whose square is at most `square`.
std::size_t whole_root(std::size_t square) {
  auto root = static_cast<std::size_t>(std::sqrt(static_cast<double>(square)));
  while (root * root > square) --root;
  while ((root + 1) * (root + 1) <= square) ++root;
  return root;
}

}  // namespace

Region::Region(std::size_t width, std::size_t height, std::vector<std::uint8_t> inside)
    : width_(width),
      height_(height),
      area_(static_cast<std::size_t>(std::count(inside.begin(), inside.end(), 1))),
      inside_(std::move(inside)) {}

Region Region::of_mask(MatrixView mask) {
  check_sides(mask.cols(), mask.rows());
  std::vector<std::uint8_t> inside;
  inside.reserve(mask.rows() * mask.cols());
  for (std::size_t y = 0; y < mask.rows(); ++y) {
    for (const float value : mask.row(y)) {
      if (!std::isfinite(value)) {
        fail(ErrorCode::invalid_argument, "region: expected a mask of finite values, got ", value, " in row ",
             y);
      }
      inside.push_back(value >= 0.5F ? 1 : 0);
    }
  }
  return {mask.cols(), mask.rows(), std::move(inside)};
}

Region Region::of_boxes(std::size_t width, std::size_t height, std::span<const Box> boxes) {
  check_sides(width, height);
  std::vector<std::uint8_t> inside(width * height, 0);
  for (const Box& box : boxes) {
    check_box(box, width, height);
    const Span columns = pixels_of(box.left, box.width, width);
    const Span rows = pixels_of(box.top, box.height, height);
    for (std::size_t y = rows.first; y <= rows.last; ++y) {
      const auto row = inside.begin() + static_cast<std::ptrdiff_t>(y * width);
      std::fill(row + static_cast<std::ptrdiff_t>(columns.first),
                row + static_cast<std::ptrdiff_t>(columns.last) + 1, std::uint8_t{1});
    }
  }
  return {width, height, std::move(inside)};
}

Region Region::grown(std::size_t pixels) const {
  if (pixels > kMaxRegionSide) {
    fail(ErrorCode::invalid_argument, "region: expected to grow by at most ", kMaxRegionSide, " pixels, got ",
         pixels);
  }
  if (pixels == 0) return *this;
  const std::vector<std::size_t> distances = row_distances(*this, pixels + 1);
  std::vector<std::size_t> reaches(pixels +
                                   1);  // columns that a pixel so many rows away covers to either side
  for (std::size_t rows = 0; rows <= pixels; ++rows)
    reaches[rows] = whole_root(pixels * pixels - rows * rows);
  std::vector<std::uint8_t> inside(inside_.size());
  std::vector<std::ptrdiff_t> changes(width_ + 1);  // of the number of pixels that cover a column
  for (std::size_t y = 0; y < height_; ++y) {
    std::fill(changes.begin(), changes.end(), 0);
    for (std::size_t x = 0; x < width_; ++x) {
      const std::size_t distance = distances[y * width_ + x];
      if (distance > pixels) continue;
      const std::size_t reach = reaches[distance];
      ++changes[x - std::min(x, reach)];
      --changes[std::min(x + reach + 1, width_)];
    }
    std::ptrdiff_t covering = 0;
    for (std::size_t x = 0; x < width_; ++x) {
      covering += changes[x];
      inside[y * width_ + x] = covering > 0 ? 1 : 0;
    }
  }
  return {width_, height_, std::move(inside)};
}

}  // namespace medretrieval::eval
