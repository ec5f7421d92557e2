#include "imaging/unfolding.hpp"

#include <algorithm>
#include <medretrieval/error.hpp>

#include "base/concat.hpp"

namespace medretrieval::imaging {

std::size_t most_unfolded_bytes(std::size_t compressed_bytes) noexcept {
  return std::max(kFreelyUnfoldedBytes, compressed_bytes * kMostUnfolding);
}

void require_plausible_samples(std::size_t sample_bytes, std::size_t compressed_bytes) {
  const std::size_t most = std::min(kMaxSampleBytes, most_unfolded_bytes(compressed_bytes));
  if (sample_bytes > most) {
    detail::fail(ErrorCode::limit_exceeded, "samples of ", sample_bytes, " bytes in a file of ",
                 compressed_bytes, "; at most ", most, " are read from it");
  }
}

void require_plausible_pixels(std::size_t pixels, std::size_t compressed_bytes) {
  const std::size_t most = std::max(kFreelyUnfoldedPixels, compressed_bytes * kMostUnfolding);
  if (pixels > most) {
    detail::fail(ErrorCode::limit_exceeded, pixels, " pixels in ", compressed_bytes, " bytes; at most ", most,
                 " are read from so few");
  }
}

std::size_t most_jpeg_scans(std::size_t pixels) noexcept {
  constexpr std::size_t kMaxScannedPixels = std::size_t{1} << 30;
  return std::clamp<std::size_t>(kMaxScannedPixels / std::max<std::size_t>(pixels, 1), 16, 500);
}

}  // namespace medretrieval::imaging
