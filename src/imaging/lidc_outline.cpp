#include "imaging/lidc_outline.hpp"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <vector>

namespace medretrieval::imaging {

cv::Rect outline_box(std::span<const LidcPoint> points) {
  const auto by_x = [](LidcPoint a, LidcPoint b) { return a.x < b.x; };
  const auto by_y = [](LidcPoint a, LidcPoint b) { return a.y < b.y; };
  const auto [left, right] = std::minmax_element(points.begin(), points.end(), by_x);
  const auto [top, bottom] = std::minmax_element(points.begin(), points.end(), by_y);
  return {left->x, top->y, right->x - left->x + 1, bottom->y - top->y + 1};
}

double outline_area(std::span<const LidcPoint> points) {
  double twice = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const LidcPoint a = points[i];
    const LidcPoint b = points[(i + 1) % points.size()];
    twice += static_cast<double>(a.x) * b.y - static_cast<double>(b.x) * a.y;
  }
  return std::fabs(twice) / 2;
}

std::size_t outline_cost(std::span<const LidcPoint> points) {
  const cv::Rect box = outline_box(points);
  const auto height = static_cast<std::size_t>(box.height);
  return height * (static_cast<std::size_t>(box.width) + points.size());
}

void fill_outline(cv::Mat& mask, cv::Point origin, std::span<const LidcPoint> points, bool with_outline,
                  unsigned char value) {
  const cv::Rect box = outline_box(points);
  std::vector<cv::Point> polygon;
  polygon.reserve(points.size());
  for (const LidcPoint point : points) polygon.emplace_back(point.x - box.x, point.y - box.y);
  const std::vector<std::vector<cv::Point>> polygons{std::move(polygon)};
  cv::Mat inside = cv::Mat::zeros(box.size(), CV_8U);
  cv::fillPoly(inside, polygons, cv::Scalar(1));
  if (!with_outline) cv::polylines(inside, polygons, true, cv::Scalar(0));
  const cv::Rect place(box.tl() - origin, box.size());
  const cv::Rect common = place & cv::Rect({0, 0}, mask.size());
  if (common.empty()) return;
  const cv::Rect part(common.tl() - place.tl(), common.size());
  mask(common).setTo(value, inside(part));
}

}  // namespace medretrieval::imaging
