#include "imaging/unfolding.hpp"

#include <algorithm>
#include <medretrieval/error.hpp>

#include "base/concat.hpp"

namespace medretrieval::imaging {

std::size_t most_unfolded_bytes(std::size_t compressed_bytes) noexcept {
  return std::max(kFreelyUnfoldedBytes, compressed_bytes * kMostUnfolding);
}

void require_plausible_pixels(std::size_t pixels, std::size_t compressed_bytes) {
  const std::size_t most = std::max(kFreelyUnfoldedPixels, compressed_bytes * kMostUnfolding);
  if (pixels > most) {
    detail::fail(ErrorCode::limit_exceeded, pixels, " pixels in ", compressed_bytes, " bytes; at most ", most,
                 " are read from so few");
  }
}

}  // namespace medretrieval::imaging
