/// \file
/// DICOM files: stored samples, the rules that turn them into an image, and the tags that describe the case.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <medretrieval/imaging/image.hpp>

namespace medretrieval::imaging {

/// The samples of one frame as they are stored after decompression: no colour conversion, no rescale, no
/// window.
struct StoredSamples {
  std::size_t columns = 0;
  std::size_t rows = 0;
  std::size_t samples_per_pixel = 1;  ///< 1, or 3 interleaved (planar files are interleaved on reading)
  int bits = 16;                      ///< size of one sample in `bytes`: 8, 16 or 32
  bool is_signed = false;
  /// Little-endian, row-major, interleaved; 1-bit pixel data is unpacked to one byte (0 or 1) a sample.
  std::vector<std::uint8_t> bytes;
};

/// One opened DICOM file. Immutable; safe to read from several threads.
class DicomFile {
 public:
  /// Reads and checks a whole file. A file without preamble or meta header loads when its content is DICOM.
  /// \throws Error not_found, corrupt (cut, not DICOM, pixel data of the wrong length), unsupported (transfer
  /// syntax or
  ///         pixel format), limit_exceeded. A file without pixel data opens; asking it for pixels throws.
  explicit DicomFile(const std::filesystem::path& file);
  ~DicomFile();
  DicomFile(DicomFile&&) noexcept;
  DicomFile& operator=(DicomFile&&) noexcept;

  bool has_pixels() const noexcept;
  std::size_t frame_count() const noexcept;  ///< 0 without pixel data
  std::string transfer_syntax_uid() const;
  std::string photometric_interpretation() const;

  /// The samples of `frame` (from 0).
  /// \throws Error (not_found) without pixel data, invalid_argument for a frame that is not there, corrupt or
  ///         unsupported when it cannot be decoded.
  StoredSamples stored_samples(std::size_t frame = 0) const;

  /// The frame after rescale slope and intercept: Hounsfield units for CT, otherwise PixelUnit::stored.
  /// Colour and palette frames become luminance in display units. MONOCHROME1 is not inverted here.
  Image modality_image(std::size_t frame = 0) const;

  /// The frame as a viewer shows it, 0..1: modality image, window (given, stated in the file, or the rule of
  /// LoadOptions::window), MONOCHROME1 inverted.
  Image display_image(std::size_t frame = 0, const std::optional<Window>& window = {}) const;

  /// The first window stated for `frame`, as written; none when there is none or its width is not positive.
  std::optional<Window> stated_window(std::size_t frame = 0) const;

  /// The value of a tag by its DICOM keyword ("PatientID", "StudyInstanceUID", "Modality", "StudyDate", ...),
  /// with trailing padding removed; empty when the file does not have it. \throws Error (not_found) when the
  /// keyword is not in the DICOM dictionary.
  std::string tag(const std::string& keyword) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// What a synthetic or converted slice states about itself when written.
struct DicomTags {
  std::map<std::string, std::string>
      values;  ///< keyword to value (UTF-8), several values joined by a backslash
};

/// Writes 16-bit monochrome samples as a DICOM file, Explicit VR Little Endian: Secondary Capture unless
/// `tags` names another SOPClassUID, whose further attributes are then the caller's to give. `samples` has
/// columns * rows values, row by row. Everything but size, depth and pixel data may be given in `tags`:
/// rescale, window, PhotometricInterpretation (MONOCHROME1 or 2), PixelRepresentation (0 when no sample is
/// negative). UIDs that are not given are made up; with them, the same call writes the same bytes.
/// The file is replaced as a whole or not at all. \throws Error invalid_argument (sizes do not fit, a keyword
/// that is unknown or not the caller's to give, a
///         value that its tag cannot have), io.
void write_dicom(const std::filesystem::path& file, std::span<const std::int16_t> samples,
                 std::size_t columns, std::size_t rows, const DicomTags& tags);

}  // namespace medretrieval::imaging
