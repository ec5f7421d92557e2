// Images as the input of networks, and maps back.
#pragma once

#include <torch/types.h>

#include <cstddef>
#include <medretrieval/imaging/image.hpp>
#include <span>

namespace medretrieval::deep {

/// `image` as side x side float32 grey values 0..1: area means where it is larger, bilinear where it is smaller.
/// \throws Error (invalid_argument) when the image is empty, not in display units, or holds a value that is not
///         finite.
::torch::Tensor resized(const imaging::Image& image, std::size_t side);

/// A map of height x width values as an image in display units, its range stretched to 0..1; all 0 where it is
/// flat.
imaging::Image map_image(const ::torch::Tensor& map);

/// The pixels of a side x side tensor as an image in display units.
imaging::Image to_image(const ::torch::Tensor& pixels);

}  // namespace medretrieval::deep
