/// \file
/// Image files of every supported kind to one grey Image.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <medretrieval/imaging/image.hpp>

namespace medretrieval::imaging {

/// How a file becomes an image.
struct LoadOptions {
  /// The frame of a multi-frame DICOM file, or the slice of a MetaImage volume, counted from 0.
  std::size_t frame = 0;
  /// Grey window in the file's own unit (Hounsfield for CT). None: the window that the file states; without
  /// one, CT takes -1200..600 HU (paper 003) and everything else its own minimum and maximum.
  std::optional<Window> window;
};

/// The file kinds, told apart by content and not by name.
enum class FileKind { png, jpeg, tiff, dicom, meta_image };

/// The kind of `file` from its first bytes (a DICOM file without the preamble is recognised by its first
/// elements; MetaImage by its header keys). \throws Error not_found, io, or unsupported when no kind fits.
FileKind detect_file_kind(const std::filesystem::path& file);

/// Loads one image in display units (0..1). 8- and 16-bit PNG, JPEG and TIFF, colour turned to luminance
/// (BT.601); DICOM with rescale, window and photometric interpretation applied (MONOCHROME1 inverted, colour
/// and palette to luminance); MetaImage slices. Safe to call from many threads at once. \throws Error
/// not_found (no such file), corrupt (cut or undecodable), unsupported (a kind or transfer syntax that
///         cannot be decoded here), limit_exceeded (more than kMaxImagePixels), invalid_argument (no such
///         frame).
Image load_image(const std::filesystem::path& file, const LoadOptions& options = {});

/// Writes a display image as an 8- or 16-bit grey PNG; values are clamped to 0..1 and rounded to nearest.
/// \throws Error (io) when the file cannot be written, invalid_argument when bits is neither 8 nor 16 or the
/// image is
///         not in display units.
void write_png(const Image& image, const std::filesystem::path& file, int bits = 8);

/// The PNG file of a display image, in memory.
std::vector<unsigned char> encode_png(const Image& image, int bits = 8);

}  // namespace medretrieval::imaging
