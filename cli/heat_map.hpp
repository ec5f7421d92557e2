// Where a network looked, drawn over the image.
#pragma once

#include <medretrieval/imaging/image.hpp>

namespace medretrieval::cli {

/// The image and, right of it, the same lit where the map is high and dark where it is 0. The map, 0 to 1 of any
/// size, is laid over the whole image with bilinear steps.
imaging::Image beside_heat_map(const imaging::Image& image, const imaging::Image& map);

}  // namespace medretrieval::cli
