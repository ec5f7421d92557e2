#include "imaging/dicom_layout.hpp"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <charconv>
#include <map>
#include <medretrieval/imaging/image.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/concat.hpp"

namespace medretrieval::imaging {

using detail::fail;

namespace {

std::optional<int> find_short(DcmItem& dataset, const DcmTagKey& tag) {
  Uint16 value = 0;
  if (dataset.findAndGetUint16(tag, value).bad()) return std::nullopt;
  return value;
}

int need_short(DcmItem& dataset, const DcmTagKey& tag) {
  const std::optional<int> value = find_short(dataset, tag);
  if (!value) fail(ErrorCode::corrupt, "pixel data without ", DcmTag(tag).getTagName());
  return *value;
}

std::size_t frame_count(DcmItem& dataset) {
  OFString text;
  if (dataset.findAndGetOFString(DCM_NumberOfFrames, text).bad() || text.empty()) return 1;
  std::size_t frames = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), frames);
  if (error != std::errc() || end != text.data() + text.size() || frames == 0) {
    fail(ErrorCode::corrupt, "NumberOfFrames is \"", text, "\", expected a positive integer");
  }
  return frames;
}

Photometric photometric_interpretation(DcmItem& dataset) {
  static const std::map<std::string_view, Photometric> kKnown = {
      {"MONOCHROME1", Photometric::monochrome1}, {"MONOCHROME2", Photometric::monochrome2},
      {"PALETTE COLOR", Photometric::palette},   {"RGB", Photometric::rgb},
      {"YBR_FULL", Photometric::ybr_full},       {"YBR_FULL_422", Photometric::ybr_full_422},
      {"YBR_ICT", Photometric::ybr_ict},         {"YBR_RCT", Photometric::ybr_rct}};
  OFString text;
  if (dataset.findAndGetOFString(DCM_PhotometricInterpretation, text).bad()) {
    fail(ErrorCode::corrupt, "pixel data without PhotometricInterpretation");
  }
  const auto found = kKnown.find(std::string_view(text.c_str()));
  if (found == kKnown.end()) {
    fail(ErrorCode::unsupported, "the photometric interpretation \"", text, "\" is not read here");
  }
  return found->second;
}

void check_size(const PixelLayout& layout) {
  if (layout.rows == 0 || layout.columns == 0) {
    fail(ErrorCode::corrupt, "a DICOM image of ", layout.columns, " columns and ", layout.rows, " rows");
  }
  if (layout.rows > kMaxImageSide || layout.columns > kMaxImageSide || layout.pixels() > kMaxImagePixels) {
    fail(ErrorCode::limit_exceeded, "a DICOM image of ", layout.columns, " columns and ", layout.rows,
         " rows; at most ", kMaxImageSide, " a side and ", kMaxImagePixels, " pixels are read");
  }
}

// Colours of 16 bits at the most pixels there may be take less.
void check_bytes(const PixelLayout& layout) {
  constexpr std::size_t kMaxFrameBytes = std::size_t{1} << 29;
  if (layout.frame_bytes() > kMaxFrameBytes) {
    fail(ErrorCode::limit_exceeded, "a DICOM frame of ", layout.frame_bytes(), " bytes; at most ",
         kMaxFrameBytes, " are read");
  }
}

void check_depth(const PixelLayout& layout) {
  const int allocated = layout.bits_allocated;
  if (allocated != 1 && allocated != 8 && allocated != 16 && allocated != 32) {
    fail(ErrorCode::unsupported, "BitsAllocated is ", allocated, "; 1, 8, 16 and 32 are read");
  }
  if (layout.bits_stored < 1 || layout.high_bit >= allocated || layout.high_bit + 1 < layout.bits_stored) {
    fail(ErrorCode::corrupt, "BitsAllocated ", allocated, ", BitsStored ", layout.bits_stored,
         " and HighBit ", layout.high_bit, " contradict each other");
  }
}

void check_samples(const PixelLayout& layout) {
  const bool is_grey = layout.photometric == Photometric::monochrome1 ||
                       layout.photometric == Photometric::monochrome2 ||
                       layout.photometric == Photometric::palette;
  const std::size_t expected = is_grey ? 1 : 3;
  if (layout.samples != expected) {
    fail(ErrorCode::corrupt, "SamplesPerPixel is ", layout.samples, ", its photometric interpretation has ",
         expected);
  }
  if (!is_grey && (layout.is_signed || layout.bits_allocated == 1)) {
    fail(ErrorCode::unsupported, "signed or 1-bit colour samples");
  }
}

}  // namespace

PixelLayout read_pixel_layout(DcmItem& dataset) {
  PixelLayout layout;
  layout.rows = static_cast<std::size_t>(need_short(dataset, DCM_Rows));
  layout.columns = static_cast<std::size_t>(need_short(dataset, DCM_Columns));
  layout.frames = frame_count(dataset);
  layout.samples = static_cast<std::size_t>(need_short(dataset, DCM_SamplesPerPixel));
  layout.bits_allocated = need_short(dataset, DCM_BitsAllocated);
  layout.bits_stored = find_short(dataset, DCM_BitsStored).value_or(layout.bits_allocated);
  layout.high_bit = find_short(dataset, DCM_HighBit).value_or(layout.bits_stored - 1);
  layout.is_signed = need_short(dataset, DCM_PixelRepresentation) != 0;
  layout.is_planar = find_short(dataset, DCM_PlanarConfiguration).value_or(0) == 1;
  layout.photometric = photometric_interpretation(dataset);
  check_size(layout);
  check_depth(layout);
  check_samples(layout);
  check_bytes(layout);
  return layout;
}

}  // namespace medretrieval::imaging
