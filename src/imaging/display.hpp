// From values with a meaning to what a viewer shows.
#pragma once

#include <medretrieval/imaging/image.hpp>

namespace medretrieval::imaging {

/// Lungs and soft tissue of a CT slice in one window, -1200..600 HU (paper 003): what CT takes when neither
/// the caller nor the file gives a window.
inline constexpr Window kCtWindow = {-300, 1800};

/// Its own minimum to 0 and its own maximum to 1; black when all pixels are equal. NaN becomes 0.
Image stretch_to_display(const Image& image);

}  // namespace medretrieval::imaging
