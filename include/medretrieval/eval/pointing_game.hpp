/// \file
/// The pointing game: does a map of where a network looked have its maximum where the lesion is? (Zhang et al. 2016,
/// "Top-down neural attention by excitation backprop".)
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <medretrieval/error.hpp>
#include <medretrieval/eval/metrics.hpp>
#include <medretrieval/matrix.hpp>

namespace medretrieval::eval {

/// A rectangle in pixels of an image: 0 is the left edge of the first column, the upper edge of the first row.
struct Box {
  double left = 0;
  double top = 0;
  double width = 0;
  double height = 0;
};

/// The part of an image that is looked for.
class Region {
 public:
  /// The pixels of a mask that are 0.5 or more.
  /// \param mask a row for each row of the image
  /// \throws Error invalid_argument (an empty mask, a value that is not finite), limit_exceeded (a side above
  ///         kMaxRegionSide).
  static Region of_mask(MatrixView mask);
  /// The pixels whose middle lies in one of the boxes, and of a box without any the one that the box's middle lies in.
  /// \throws Error invalid_argument (a side of 0; a box that is not finite, has no size or leaves the image),
  ///         limit_exceeded.
  static Region of_boxes(std::size_t width, std::size_t height, std::span<const Box> boxes);

  std::size_t width() const noexcept { return width_; }
  std::size_t height() const noexcept { return height_; }
  bool contains(std::size_t x, std::size_t y) const noexcept { return inside_[y * width_ + x] != 0; }
  /// Pixels of the region; 0: there is nothing to look for.
  std::size_t area() const noexcept { return area_; }
  /// With all pixels whose middle is at most `pixels` away from the middle of one that is in it.
  /// \throws Error (invalid_argument) above kMaxRegionSide pixels.
  Region grown(std::size_t pixels) const;

 private:
  Region(std::size_t width, std::size_t height, std::vector<std::uint8_t> inside);

  std::size_t width_ = 0;
  std::size_t height_ = 0;
  std::size_t area_ = 0;
  std::vector<std::uint8_t> inside_;
};

/// The longest side of an image with a region, in pixels.
inline constexpr std::size_t kMaxRegionSide = 32768;

/// One image's part in the game, 0 to 1 each.
struct Pointing {
  double hit =
      0;  ///< 1 where the map's maximum lies in the region; where several pixels tie, their share in it
  double chance = 0;  ///< what a pixel drawn at random gets: the share of the image that the region takes
  double middle =
      0;  ///< what the middle of the image gets (the mean of its 2 or 4 middle pixels where a side is even)
};

/// Plays one image. The map is laid over the image and scaled up bilinearly, the middles of its corner places to half a
/// place from the image's edges, values constant from there outwards; its maximum is looked for among the image's
/// pixels. Ties are exact (a flat map gets what chance gets).
/// \param map a row for each row of places, finite, of any size
/// \param tolerance a pixel that is at most so many pixels away from the region counts as in it, for all three figures
/// \throws Error (invalid_argument): an empty map, a value that is not finite, a region without a pixel, and as
///         Region::grown().
Pointing point(MatrixView map, const Region& region, std::size_t tolerance = 0);

/// A mean over images with its 95 % interval over patients (bootstrap_interval()).
struct PatientMean {
  double value = 0;
  Interval interval;
};

/// The score of a network: hits / (hits + misses). It says something about the network as far as it is above both
/// baselines, chance and pointing at the middle of every image.
struct PointingScore {
  std::size_t images = 0;
  PatientMean score;
  double chance = 0;
  double middle = 0;
  PatientMean above_chance;  ///< mean of hit - chance, image by image
  PatientMean above_middle;  ///< mean of hit - middle, image by image
};

/// \param patients one an image; empty names stand alone
/// \throws Error (invalid_argument) without images, for sizes that differ, and as bootstrap_interval().
PointingScore pointing_score(std::span<const Pointing> images, std::span<const std::string> patients,
                             std::size_t resamples = 2000, std::uint64_t seed = 1);

}  // namespace medretrieval::eval
