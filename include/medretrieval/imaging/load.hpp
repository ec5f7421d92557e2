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

/// The largest image file that is read, in bytes (2 GiB). Checked before anything is allocated.
inline constexpr std::size_t kMaxImageFileBytes = std::size_t{1} << 31;

/// How a file becomes an image.
struct LoadOptions {
  /// The frame of a multi-frame DICOM file, or the slice of a MetaImage volume, counted from 0. PNG, JPEG and
  /// TIFF have frame 0 only (of a TIFF with several pages the first is read).
  /// Axial slices of a MetaImage volume are shown as a radiologist sees them (MetaImage::shown).
  std::size_t frame = 0;
  /// Grey window in the file's own unit: Hounsfield for CT, 0..255 or 0..65535 for PNG, JPEG and TIFF.
  /// None: the window that the file states. Without one, PNG, JPEG and TIFF take their whole range, CT takes
  /// -1200..600 HU (paper 003), and everything else its own minimum and maximum. MetaImage states neither a
  /// window nor a modality. Colour DICOM is not windowed: giving a window for it is an error.
  std::optional<Window> window;
};

/// The file kinds, told apart by content and not by name.
enum class FileKind { png, jpeg, tiff, dicom, meta_image };

/// The kind of `file` from its first bytes (a DICOM file without the preamble is recognised by its first
/// element; MetaImage by its header keys).
/// \throws Error not_found, io, or unsupported when no kind fits.
FileKind detect_file_kind(const std::filesystem::path& file);

/// Loads one image in display units (0..1): 8- and 16-bit PNG, JPEG and TIFF, colour turned to luminance
/// (BT.601), transparency laid on black, an EXIF orientation not applied; DICOM with rescale, window and
/// photometric interpretation applied (MONOCHROME1 inverted, colour and palette to luminance); MetaImage
/// slices. An image that is cut or cannot be decoded to its last pixel is refused, never filled up. Safe to
/// call from many threads at once.
/// \throws Error not_found (no such file), io, corrupt (cut or undecodable), unsupported (a kind or transfer
///        syntax that cannot be decoded here), limit_exceeded (more than kMaxImagePixels or
///        kMaxImageFileBytes; more than 2^24 pixels in less than a byte for 64 of them; a PNG or TIFF of more
///        than 256 MiB of samples; a JPEG of countless scans; and as DicomFile), invalid_argument (no such
///        frame, a window without positive width).
Image load_image(const std::filesystem::path& file, const LoadOptions& options = {});

/// Writes a display image as an 8- or 16-bit grey PNG; values are clamped to 0..1 and rounded to nearest. The
/// file is replaced as a whole or not at all, and on the disk when this returns.
/// \throws Error io when the file cannot be written, invalid_argument when bits is neither 8 nor 16 or the
///        image is empty or not in display units.
void write_png(const Image& image, const std::filesystem::path& file, int bits = 8);

/// The PNG file of a display image, in memory; the same image gives the same bytes.
/// \throws Error (invalid_argument) as write_png.
std::vector<unsigned char> encode_png(const Image& image, int bits = 8);

}  // namespace medretrieval::imaging
