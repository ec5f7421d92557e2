// The header of a DICOM file alone, for readers that go through whole archives.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>

class DcmFileFormat;

namespace medretrieval::imaging {

/// What stands before the pixels. Not thread-safe.
class DicomHeader {
 public:
  /// Reads a file up to its pixel data, usually its first 16 KiB. That the pixels are whole is not known until
  /// they are loaded.
  /// \throws Error not_found, io, and as parse_dicom_header; with pixels also as read_pixel_layout.
  explicit DicomHeader(const std::filesystem::path& file);
  ~DicomHeader();
  DicomHeader(const DicomHeader&) = delete;
  DicomHeader& operator=(const DicomHeader&) = delete;

  bool has_pixels() const noexcept { return frames_ > 0; }
  std::size_t frame_count() const noexcept { return frames_; }  ///< as stated; 0 without pixels
  /// As DicomFile::tag().
  std::string tag(const std::string& keyword) const;

 private:
  std::filesystem::path file_;
  std::unique_ptr<DcmFileFormat> content_;
  std::size_t frames_ = 0;
};

}  // namespace medretrieval::imaging
