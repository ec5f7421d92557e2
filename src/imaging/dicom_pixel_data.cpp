#include "imaging/dicom_pixel_data.hpp"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcpxitem.h>
#include <dcmtk/dcmdata/dctk.h>

#include <bit>
#include <medretrieval/error.hpp>
#include <numeric>

#include "base/concat.hpp"
#include "imaging/dicom_codecs.hpp"
#include "imaging/unfolding.hpp"

namespace medretrieval::imaging {

using detail::fail;

// DCMTK hands out 16-bit words in the machine's byte order.
static_assert(std::endian::native == std::endian::little);

namespace {

DcmPixelData& pixel_element(DcmDataset& dataset) {
  DcmElement* element = nullptr;
  if (dataset.findAndGetElement(DCM_PixelData, element).bad()) {
    fail(ErrorCode::not_found, "a DICOM file without pixel data");
  }
  auto* pixels = dynamic_cast<DcmPixelData*>(element);
  if (pixels == nullptr) fail(ErrorCode::unsupported, "pixel data of another VR than OB and OW");
  return *pixels;
}

// DCMTK has put the bytes of every 16-bit word right; the two words of a 32-bit sample are still exchanged.
std::vector<std::uint8_t> exchange_words(Bytes bytes) {
  std::vector<std::uint8_t> exchanged(bytes.begin(), bytes.end());
  for (std::size_t i = 0; i + 4 <= exchanged.size(); i += 4) {
    std::swap_ranges(&exchanged[i], &exchanged[i + 2], &exchanged[i + 2]);
  }
  return exchanged;
}

Bytes bytes_of(DcmPixelSequence& sequence, unsigned long index) {
  DcmPixelItem* item = nullptr;
  Uint8* bytes = nullptr;
  if (sequence.getItem(item, index).bad() || item->getUint8Array(bytes).bad()) {
    fail(ErrorCode::corrupt, "fragment ", index, " of the pixel data cannot be read");
  }
  return {bytes, bytes == nullptr ? 0 : std::size_t{item->getLength()}};
}

}  // namespace

DicomPixelData::DicomPixelData(DcmDataset& dataset)
    : layout_(read_pixel_layout(dataset)), coding_(coding_of(dataset)) {
  if (coding_ == Coding::native) {
    take_native(dataset);
  } else {
    take_fragments(dataset);
  }
}

DicomPixelData::Coding DicomPixelData::coding_of(const DcmDataset& dataset) {
  switch (dataset.getOriginalXfer()) {
    case EXS_LittleEndianImplicit:
    case EXS_LittleEndianExplicit:
    case EXS_BigEndianExplicit:
    case EXS_DeflatedLittleEndianExplicit:
      return Coding::native;
    case EXS_RLELossless:
      return Coding::rle;
    case EXS_JPEGProcess1:
    case EXS_JPEGProcess2_4:
    case EXS_JPEGProcess6_8:
    case EXS_JPEGProcess10_12:
    case EXS_JPEGProcess14:
    case EXS_JPEGProcess14SV1:
      return Coding::jpeg;
    case EXS_JPEGLSLossless:
    case EXS_JPEGLSLossy:
      return Coding::jpeg_ls;
    case EXS_JPEG2000LosslessOnly:
    case EXS_JPEG2000:
      return Coding::jpeg_2000;
    default:
      fail(ErrorCode::unsupported, "the transfer syntax ", DcmXfer(dataset.getOriginalXfer()).getXferName(),
           " is not read here");
  }
}

void DicomPixelData::take_native(DcmDataset& dataset) {
  DcmPixelData& element = pixel_element(dataset);
  Uint8* bytes = nullptr;
  if (element.getUint8Array(bytes).bad() || bytes == nullptr) {
    fail(ErrorCode::corrupt, "the pixel data cannot be read as ",
         DcmXfer(dataset.getOriginalXfer()).getXferName());
  }
  native_ = {bytes, element.getLength()};
  const std::size_t expected = native_bytes(layout_);
  const bool is_short = expected == 0 || native_.size() < expected;
  // Some writers pad more than the standard's one byte; a whole frame more is a contradiction.
  const bool is_long =
      native_.size() > expected + 1 && native_.size() - expected >= expected / layout_.frames;
  if (is_short || is_long) {
    fail(ErrorCode::corrupt, "pixel data of ", native_.size(), " bytes where ", layout_.frames, " frames of ",
         layout_.columns, " x ", layout_.rows, " x ", layout_.samples, " x ", layout_.bits_allocated,
         " bits are stated");
  }
  if (dataset.getOriginalXfer() == EXS_BigEndianExplicit && layout_.bits_allocated == 32) {
    reordered_ = exchange_words(native_);
    native_ = reordered_;
  }
}

void DicomPixelData::take_fragments(DcmDataset& dataset) {
  DcmPixelData& element = pixel_element(dataset);
  E_TransferSyntax syntax = EXS_Unknown;
  const DcmRepresentationParameter* parameter = nullptr;
  element.getOriginalRepresentationKey(syntax, parameter);
  DcmPixelSequence* sequence = nullptr;
  if (element.getEncapsulatedRepresentation(syntax, parameter, sequence).bad() || sequence == nullptr ||
      sequence->card() < 2) {
    fail(ErrorCode::corrupt, "pixel data that should be a sequence of fragments");
  }
  for (unsigned long i = 1; i < sequence->card(); ++i) fragments_.push_back(bytes_of(*sequence, i));
  if (coding_ == Coding::rle && fragments_.size() != layout_.frames) {  // PS3.5 A.4.2: one each
    fail(ErrorCode::corrupt, "RLE pixel data of ", fragments_.size(), " fragments where ", layout_.frames,
         " frames are stated");
  }
  first_fragment_ = fragments_per_frame(fragments_, bytes_of(*sequence, 0), layout_.frames);
  first_fragment_.insert(first_fragment_.begin(), 0);
  std::partial_sum(first_fragment_.begin(), first_fragment_.end(), first_fragment_.begin());
}

std::vector<std::uint8_t> DicomPixelData::decode(std::size_t frame) const {
  if (coding_ == Coding::native) return decode_native(layout_, native_, frame);
  std::vector<std::uint8_t> stream;
  for (std::size_t i = first_fragment_[frame]; i < first_fragment_[frame + 1]; ++i) {
    stream.insert(stream.end(), fragments_[i].begin(), fragments_[i].end());
  }
  require_plausible_pixels(layout_.pixels(), stream.size());
  switch (coding_) {
    case Coding::rle:
      return decode_rle(layout_, stream);
    case Coding::jpeg:
      return decode_dicom_jpeg(layout_, stream);
    case Coding::jpeg_ls:
      return decode_jpeg_ls(layout_, stream);
    default:
      return decode_jpeg_2000(layout_, stream);
  }
}

}  // namespace medretrieval::imaging
