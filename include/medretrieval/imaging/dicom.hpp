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
  /// Uncompressed YBR_FULL_422 has its shared colour samples repeated; JPEG 2000 has its component transform
  /// undone, so YBR_RCT and YBR_ICT come as RGB.
  std::vector<std::uint8_t> bytes;
};

/// One opened DICOM file: uncompressed (either byte order, deflated), RLE, JPEG (8 to 16 bits, lossy and
/// lossless), JPEG-LS or JPEG 2000. Immutable; safe to read from several threads.
///
/// DCMTK, which parses the files, has one logger for the process. The first use of this class sets the level
/// of its loggers below "dcmtk" to off; an application that wants their messages raises it again afterwards. It
/// also switches DCMTK's conversion of elements of unknown VR on (dcmEnableUnknownVRConversion).
class DicomFile {
 public:
  /// Reads and checks a whole file; nothing is read from it later. A file without preamble or meta header
  /// loads when its content is DICOM. A file without pixel data opens; asking it for pixels throws.
  /// \throws Error not_found, io, corrupt (cut, not DICOM, attributes that contradict each other or the
  ///        length of the pixel data), unsupported (transfer syntax or pixel format), limit_exceeded
  ///        (kMaxImagePixels and 512 MiB a frame, kMaxImageFileBytes; more than 2^24 pixels in less than a byte
  ///        for 64 of them; a deflated file that unfolds to more than 128 MiB and 64 times its size; deep
  ///        nesting, more than about 1.5 million elements). More than 64
  ///        elements out of the order of their tags are corrupt.
  explicit DicomFile(const std::filesystem::path& file);
  ~DicomFile();
  DicomFile(DicomFile&&) noexcept;
  DicomFile& operator=(DicomFile&&) noexcept;

  bool has_pixels() const noexcept;
  std::size_t frame_count() const noexcept;  ///< 0 without pixel data
  std::string transfer_syntax_uid() const;
  std::string photometric_interpretation() const;

  /// The samples of `frame` (from 0).
  /// \throws Error not_found without pixel data, invalid_argument for a frame that is not there, corrupt or
  ///        unsupported when it cannot be decoded to its last sample.
  StoredSamples stored_samples(std::size_t frame = 0) const;

  /// The frame after rescale slope and intercept or modality lookup table: Hounsfield units for CT that
  /// states a rescale, otherwise PixelUnit::stored. Bits outside BitsStored are dropped. Colour and palette
  /// frames become luminance (BT.601) in display units. MONOCHROME1 is not inverted, pixel padding not
  /// singled out.
  /// \throws Error as stored_samples.
  Image modality_image(std::size_t frame = 0) const;

  /// The frame as a viewer shows it, 0..1: modality image, then `window` or else what the file states (window
  /// with its function LINEAR, LINEAR_EXACT or SIGMOID, else VOI lookup table) or else the rule of
  /// LoadOptions::window; MONOCHROME1 inverted.
  /// \throws Error as stored_samples, and invalid_argument for a window of a colour frame.
  Image display_image(std::size_t frame = 0, const std::optional<Window>& window = {}) const;

  /// The first window stated for `frame`, as written; none when there is none or its width is not positive.
  std::optional<Window> stated_window(std::size_t frame = 0) const;

  /// The value of a tag of the main data set by its DICOM keyword ("PatientID", "StudyInstanceUID",
  /// "Modality", "StudyDate", ...), in UTF-8, without trailing padding, several values joined by a backslash;
  /// empty when the file does not have it.
  /// \throws Error not_found when the keyword is not in the DICOM dictionary, unsupported for sequences, bulk
  ///        data and text that is stored as bytes, corrupt when the text is not in the character set that the file states.
  std::string tag(const std::string& keyword) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// What a synthetic or converted slice states about itself when written.
struct DicomTags {
  /// Keyword to value, in UTF-8, several values joined by a backslash.
  std::map<std::string, std::string> values;
};

/// Writes 16-bit monochrome samples as a DICOM file, Explicit VR Little Endian: Secondary Capture unless
/// `tags` names another SOPClassUID, whose further attributes are then the caller's to give. `samples` has
/// columns * rows values, row by row. Everything but size, depth and pixel data may be given in `tags`:
/// rescale, window, PhotometricInterpretation (MONOCHROME1 or 2), PixelRepresentation (0 when no sample is
/// negative). UIDs that are not given are made up; with them, the same call writes the same bytes. The file
/// is replaced as a whole or not at all.
/// \throws Error invalid_argument (sizes do not fit, a keyword that is unknown or not the caller's to give, a
///        value that its tag cannot have), io.
void write_dicom(const std::filesystem::path& file, std::span<const std::int16_t> samples,
                 std::size_t columns, std::size_t rows, const DicomTags& tags);

}  // namespace medretrieval::imaging
