// One frame of pixel data to samples. Every function gives layout.frame_bytes() bytes: little-endian,
// row-major, interleaved, no colour conversion; or throws Error corrupt (cut, damaged, or another size than
// the data set states), unsupported, or limit_exceeded (more work than such a frame needs). None of them uses
// DCMTK's global codec list, so nothing has to be registered and an application's own registrations make no
// difference.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "imaging/dicom_layout.hpp"

namespace medretrieval::imaging {

/// Frame `frame` of uncompressed pixel data that holds all frames.
/// \param pixel_data as it lies in a little-endian file
std::vector<std::uint8_t> decode_native(const PixelLayout& layout, std::span<const std::uint8_t> pixel_data,
                                        std::size_t frame);

std::vector<std::uint8_t> decode_rle(const PixelLayout& layout, std::span<const std::uint8_t> stream);
/// JPEG baseline, extended, progressive and lossless, to 16 bits.
std::vector<std::uint8_t> decode_dicom_jpeg(const PixelLayout& layout, std::span<const std::uint8_t> stream);
std::vector<std::uint8_t> decode_jpeg_ls(const PixelLayout& layout, std::span<const std::uint8_t> stream);
/// JPEG 2000, lossless and lossy, as a bare codestream or in a JP2 box. The codestream's own component
/// transform is undone, so YBR_RCT and YBR_ICT data come out as RGB.
std::vector<std::uint8_t> decode_jpeg_2000(const PixelLayout& layout, std::span<const std::uint8_t> stream);

/// All samples of one colour, then those of the next, to colour by colour within a pixel.
std::vector<std::uint8_t> interleave_planes(const PixelLayout& layout, std::span<const std::uint8_t> planes);

/// Unsigned little-endian samples of one or two bytes, as a codec gives them, to layout.sample_bytes() each.
std::vector<std::uint8_t> widen_samples(std::vector<std::uint8_t> samples, const PixelLayout& layout);

/// Of all frames of uncompressed pixel data, without padding; 0 when it does not fit 64 bits.
std::size_t native_bytes(const PixelLayout& layout) noexcept;

}  // namespace medretrieval::imaging
