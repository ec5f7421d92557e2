// Outlines as sets of pixels.
#pragma once

#include <cstddef>
#include <medretrieval/imaging/lidc.hpp>
#include <opencv2/core.hpp>
#include <span>

namespace medretrieval::imaging {

/// The smallest rectangle that holds all points of an outline.
cv::Rect outline_box(std::span<const LidcPoint> points);

/// What an outline encloses, in pixels; that of its polygon.
double outline_area(std::span<const LidcPoint> points);

/// What filling an outline costs, in pixels: its box, and the rows that its edges may cross.
std::size_t outline_cost(std::span<const LidcPoint> points);

/// Sets the pixels of `mask` (CV_8U) within the outline to `value`; `origin` is the pixel that mask(0, 0)
/// stands for. The outline itself belongs to what it encloses when `with_outline`.
void fill_outline(cv::Mat& mask, cv::Point origin, std::span<const LidcPoint> points, bool with_outline,
                  unsigned char value);

}  // namespace medretrieval::imaging
