#include <algorithm>
#include <medretrieval/imaging/dataset.hpp>

#include "base/concat.hpp"
#include "imaging/cut_out.hpp"

namespace medretrieval::imaging {

namespace {

void check_region(const PixelRegion& region) {
  const auto& [x, y, width, height] = region;
  constexpr auto kFarthest = static_cast<std::ptrdiff_t>(kMaxImageSide);
  if (width == 0 || height == 0 || width > kMaxImageSide || height > kMaxImageSide || x < -kFarthest ||
      y < -kFarthest || x > kFarthest || y > kFarthest) {
    detail::fail(ErrorCode::limit_exceeded, "a region needs sides of 1 to ", kMaxImageSide,
                 " near its image, got ", width, " x ", height, " at ", x, ", ", y);
  }
}

}  // namespace

Image cut_out_padded(const Image& image, const PixelRegion& region) {
  check_region(region);
  Image part(region.width, region.height, image.unit());
  const auto width = static_cast<std::ptrdiff_t>(image.width());
  const auto height = static_cast<std::ptrdiff_t>(image.height());
  const std::ptrdiff_t left = std::clamp<std::ptrdiff_t>(region.x, 0, width);
  const std::ptrdiff_t right =
      std::clamp<std::ptrdiff_t>(region.x + static_cast<std::ptrdiff_t>(region.width), left, width);
  const std::ptrdiff_t top = std::clamp<std::ptrdiff_t>(region.y, 0, height);
  const std::ptrdiff_t bottom =
      std::clamp<std::ptrdiff_t>(region.y + static_cast<std::ptrdiff_t>(region.height), top, height);
  if (left == right) return part;
  for (std::ptrdiff_t y = top; y < bottom; ++y) {
    const auto row = image.row(static_cast<std::size_t>(y));
    std::copy(row.begin() + left, row.begin() + right,
              part.row(static_cast<std::size_t>(y - region.y)).begin() + (left - region.x));
  }
  return part;
}

Image load_source(const ImageSource& source) {
  if (source.region) check_region(*source.region);  // before the file is opened
  const Image image = load_image(source.file, source.options);
  return source.region ? cut_out_padded(image, *source.region) : image;
}

}  // namespace medretrieval::imaging
