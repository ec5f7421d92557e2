// What decoding a JPEG 2000 codestream would cost, found in its headers. OpenJPEG allocates by these numbers
// without limits of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "imaging/dicom_layout.hpp"

namespace medretrieval::imaging {

/// The most tiles, precincts and code blocks (of all components and resolutions) that a frame may be divided
/// into, and the most samples. Encoders stay far below: 64 x 64 samples a code block, one precinct a
/// resolution.
inline constexpr std::size_t kMaxJpeg2000Tiles = 4096;
inline constexpr std::size_t kMaxJpeg2000Precincts = std::size_t{1} << 19;
inline constexpr std::size_t kMaxJpeg2000CodeBlocks = std::size_t{1} << 20;
inline constexpr std::size_t kMaxJpeg2000Packets = std::size_t{1} << 24;
inline constexpr std::size_t kMaxJpeg2000Samples = std::size_t{1} << 26;
/// The most coding passes over samples in a stream of less than a byte for 64 samples. A code block of 4096
/// samples takes three for each bit plane, and can ask for them in five bytes.
inline constexpr std::size_t kMaxJpeg2000Passes = std::size_t{1} << 29;

/// The codestream in a JP2 file, or `bytes` when they are no JP2 file.
/// \throws Error (corrupt) for a JP2 file without codestream.
std::span<const std::uint8_t> jpeg_2000_codestream(std::span<const std::uint8_t> bytes);

/// Reads the main header and the headers of all tile-parts.
/// \throws Error corrupt (no header of the image's size, another size or number of components than `layout`,
/// a coding
///        style that cannot be), limit_exceeded (above the limits here).
void check_jpeg_2000_header(std::span<const std::uint8_t> codestream, const PixelLayout& layout);

}  // namespace medretrieval::imaging
