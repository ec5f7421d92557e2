// A part of an image.
#pragma once

#include <medretrieval/imaging/dataset.hpp>

namespace medretrieval::imaging {

/// The region, black where it reaches over the edge.
/// \throws Error (limit_exceeded) for a side of 0 or above kMaxImageSide, or a region far from its image.
Image cut_out_padded(const Image& image, const PixelRegion& region);

}  // namespace medretrieval::imaging
