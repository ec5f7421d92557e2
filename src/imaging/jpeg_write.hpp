// Grey images to JPEG, for phantoms in the form of sets that are published so.
#pragma once

#include <cstdint>
#include <medretrieval/imaging/image.hpp>
#include <vector>

namespace medretrieval::imaging {

/// A baseline JPEG of 8 bits with the whole-number transform, quality 95.
/// \throws Error (invalid_argument) unless the image is in display units and not empty.
std::vector<std::uint8_t> encode_jpeg(const Image& image);

}  // namespace medretrieval::imaging
