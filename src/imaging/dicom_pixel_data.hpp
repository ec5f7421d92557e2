// The pixel data element of one file: where each frame lies and how it is coded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "imaging/dicom_fragments.hpp"
#include "imaging/dicom_layout.hpp"

class DcmDataset;

namespace medretrieval::imaging {

/// Immutable after construction; decoding takes no lock and touches no DCMTK object of the file.
class DicomPixelData {
 public:
  /// \param dataset has pixel data, and outlives this object, which refers to its memory
  /// \throws Error corrupt (pixel data shorter, or longer by a frame or more, than the attributes say; a
  ///        damaged pixel sequence), unsupported (transfer syntax, pixel layout), limit_exceeded.
  explicit DicomPixelData(DcmDataset& dataset);
  DicomPixelData(const DicomPixelData&) = delete;
  DicomPixelData& operator=(const DicomPixelData&) = delete;

  const PixelLayout& layout() const noexcept { return layout_; }

  /// The samples of one frame, as the functions of dicom_codecs.hpp give them.
  /// \param frame below layout().frames
  std::vector<std::uint8_t> decode(std::size_t frame) const;

 private:
  enum class Coding { native, rle, jpeg, jpeg_ls, jpeg_2000 };

  static Coding coding_of(const DcmDataset& dataset);
  void take_native(DcmDataset& dataset);
  void take_fragments(DcmDataset& dataset);

  PixelLayout layout_;
  Coding coding_ = Coding::native;
  Bytes native_;
  std::vector<std::uint8_t> reordered_;      // backs native_ where the file's order had to be changed
  std::vector<Bytes> fragments_;             // without the offset table
  std::vector<std::size_t> first_fragment_;  // of each frame, and one entry behind the last
};

}  // namespace medretrieval::imaging
