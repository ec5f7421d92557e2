// How much a compressed file may become: limits that keep a small hostile one from costing seconds and
// gigabytes.
#pragma once

#include <cstddef>

namespace medretrieval::imaging {

/// Whatever their compressed size, so much may come out.
inline constexpr std::size_t kFreelyUnfoldedPixels = std::size_t{1} << 24;
inline constexpr std::size_t kFreelyUnfoldedBytes = std::size_t{1} << 27;
/// Above that, so many pixels or bytes for each compressed byte. Lossy images of patients stay below it;
/// blank ones of such a size do not.
inline constexpr std::size_t kMostUnfolding = 64;

/// The most bytes that `compressed_bytes` bytes may become.
std::size_t most_unfolded_bytes(std::size_t compressed_bytes) noexcept;

/// The most bytes of samples that a PNG or TIFF may decode to, however large it is itself: 2^26 pixels of 4
/// bytes.
inline constexpr std::size_t kMaxSampleBytes = std::size_t{1} << 28;

/// Of a PNG or TIFF, before it is decoded.
/// \throws Error (limit_exceeded) above kMaxSampleBytes and above most_unfolded_bytes.
void require_plausible_samples(std::size_t sample_bytes, std::size_t compressed_bytes);

/// Of an image or frame, before it is decoded.
/// \throws Error (limit_exceeded).
void require_plausible_pixels(std::size_t pixels, std::size_t compressed_bytes);

/// The most scans that a progressive JPEG of so many pixels may have, 16 to 500: each is a pass over the
/// image, in a few bytes where it changes nothing. Encoders write about ten.
std::size_t most_jpeg_scans(std::size_t pixels) noexcept;

}  // namespace medretrieval::imaging
