/// \file
/// The grey image every feature extractor reads.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <medretrieval/error.hpp>

namespace medretrieval::imaging {

/// What the pixel values of an Image mean.
enum class PixelUnit {
  display,     ///< 0 (black) to 1 (white): what a viewer would show
  hounsfield,  ///< Hounsfield units of a CT slice, from the rescale slope and intercept
  stored,      ///< numbers without a declared meaning, as stored
};

/// One grey image: float32, row-major, contiguous. Immutable shape, mutable pixels.
class Image {
 public:
  Image() = default;
  /// All pixels zero.
  /// \throws Error (limit_exceeded) when a side is 0 or above kMaxImageSide.
  Image(std::size_t width, std::size_t height, PixelUnit unit);

  std::size_t width() const noexcept { return width_; }
  std::size_t height() const noexcept { return height_; }
  PixelUnit unit() const noexcept { return unit_; }
  bool empty() const noexcept { return pixels_.empty(); }

  std::span<float> row(std::size_t y) noexcept { return {pixels_.data() + y * width_, width_}; }
  std::span<const float> row(std::size_t y) const noexcept { return {pixels_.data() + y * width_, width_}; }
  std::span<float> pixels() noexcept { return pixels_; }
  std::span<const float> pixels() const noexcept { return pixels_; }
  float& at(std::size_t x, std::size_t y) noexcept { return pixels_[y * width_ + x]; }
  float at(std::size_t x, std::size_t y) const noexcept { return pixels_[y * width_ + x]; }

 private:
  std::size_t width_ = 0;
  std::size_t height_ = 0;
  PixelUnit unit_ = PixelUnit::display;
  std::vector<float> pixels_;
};

/// The longest side an image may have, in pixels.
inline constexpr std::size_t kMaxImageSide = 32768;
/// The most pixels one image or frame may have (2^26; 256 MiB as float32). Checked before anything is
/// allocated.
inline constexpr std::size_t kMaxImagePixels = std::size_t{1} << 26;

/// A linear grey window: values from `center - width / 2` to `center + width / 2` become 0 to 1, others are
/// clamped (the LINEAR_EXACT function of DICOM PS3.3 C.11.2.1.3.2).
struct Window {
  double center = 0;
  double width = 1;  ///< above 0
};

/// The display image of `image` under `window`; NaN becomes 0.
/// \throws Error (invalid_argument) when the width is not a positive finite number.
Image apply_window(const Image& image, const Window& window);

/// `image` made smaller, for showing: its longer side becomes `longest_side` pixels, each the mean of those
/// it covers. An image that is small enough already is returned as it is.
/// \throws Error (invalid_argument) when longest_side is 0 or the image is empty.
Image thumbnail(const Image& image, std::size_t longest_side);

}  // namespace medretrieval::imaging
