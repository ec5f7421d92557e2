/// \file
/// Altered copies of training images.
#pragma once

#include <cstddef>
#include <cstdint>

#include <medretrieval/imaging/image.hpp>

namespace medretrieval::imaging {

/// How far copies may differ from their image. Make copies of training images only, after the split: a copy of
/// an image that is asked for is the answer to it.
struct AugmentationOptions {
  bool flip_horizontal = true;    ///< half of the copies are mirrored left to right
  bool flip_vertical = true;      ///< half of the copies are mirrored top to bottom
  double rotation_degrees = 180;  ///< turned by up to this, either way; 0 to 180
  double shift_pixels = 2;        ///< moved by up to this along each axis, either way; 0 to 64
  std::uint64_t seed = 1;

  /// \throws Error (invalid_argument) naming the field, its range and its value.
  void validate() const;
};

/// Copy number `copy` of image number `index`: mirrored, turned about its middle, moved. Pixels between pixels
/// are bilinear; pixels from outside repeat the edge. The same options, index and copy give the same bits on
/// every machine, whatever else is drawn.
/// \throws Error (invalid_argument) for options out of range or an empty image.
Image augment(const Image& image, std::uint64_t index, std::uint64_t copy,
              const AugmentationOptions& options = {});

}  // namespace medretrieval::imaging
