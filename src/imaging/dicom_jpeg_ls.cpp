// JPEG-LS (ISO 14495-1) through DCMTK's decoder class, which wants its input as a small DICOM data set.
//
// The decoder inside trusts the coding parameters and reads on behind a damaged stream's end. So the
// parameters are checked here, and the stream gets a tail.
#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcpxitem.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmjpls/djcodecd.h>
#include <dcmtk/dcmjpls/djcparam.h>

#include <algorithm>
#include <array>
#include <bit>
#include <medretrieval/error.hpp>
#include <memory>

#include "base/concat.hpp"
#include "imaging/dicom_codecs.hpp"
#include "imaging/jpeg_header.hpp"

namespace medretrieval::imaging {

using detail::fail;

// The decoder writes samples of more than 8 bits in the machine's byte order.
static_assert(std::endian::native == std::endian::little);

namespace {

using Bytes = std::span<const std::uint8_t>;

/// The end-of-image marker, where bit reading stops, and room for what is read without looking.
std::vector<std::uint8_t> with_tail(Bytes stream) {
  constexpr std::size_t kTailBytes = 64;
  std::vector<std::uint8_t> padded(stream.size() + kTailBytes);
  std::copy(stream.begin(), stream.end(), padded.begin());
  padded[stream.size()] = 0xFF;
  padded[stream.size() + 1] = 0xD9;
  return padded;
}

std::size_t big_endian_16(Bytes bytes) {
  return std::size_t{bytes[0]} << 8 | bytes[1];
}

/// One preset segment (C.2.4.1.1): MAXVAL, three thresholds and RESET, each 0 for its default.
void check_preset(Bytes segment, const JpegHeader& header) {
  if (segment.size() < 13 || segment[2] != 1) {
    fail(ErrorCode::unsupported, "a JPEG-LS frame with mapping tables or oversize dimensions");
  }
  const std::size_t largest = (std::size_t{1} << header.precision) - 1;
  const std::size_t stated = big_endian_16(segment.subspan(3));
  const std::size_t max_value = stated == 0 ? largest : stated;
  std::size_t previous = 0;
  for (const std::size_t at : {5, 7, 9}) {
    const std::size_t threshold = big_endian_16(segment.subspan(at));
    if (threshold != 0 && threshold < previous) fail(ErrorCode::corrupt, "JPEG-LS thresholds that fall");
    previous = std::max(previous, threshold);
  }
  const std::size_t reset = big_endian_16(segment.subspan(11));
  if (max_value > largest || previous > max_value || (reset != 0 && reset < 3) ||
      reset > std::max<std::size_t>(255, max_value)) {
    fail(ErrorCode::corrupt, "JPEG-LS coding parameters outside their range");
  }
}

void check_scan(Bytes segment, const JpegHeader& header) {
  const std::size_t components = segment.size() > 2 ? segment[2] : 0;
  if (segment.size() != 6 + 2 * components || (components != 1 && components != header.components)) {
    fail(ErrorCode::corrupt, "a JPEG-LS scan header of ", segment.size(), " bytes for ", components,
         " components");
  }
  const std::size_t near = segment[3 + 2 * components];
  const std::size_t interleave = segment[4 + 2 * components];
  const std::size_t largest = (std::size_t{1} << header.precision) - 1;
  if (near > std::min<std::size_t>(255, largest / 2) || interleave > 2 ||
      (components > 1) != (interleave > 0)) {
    fail(ErrorCode::corrupt, "a JPEG-LS scan of NEAR ", near, ", interleave mode ", interleave, ", ",
         components, " components");
  }
}

void check_parameters(Bytes stream, const JpegHeader& header) {
  constexpr std::uint8_t kPreset = 0xF8;
  for_each_jpeg_segment(stream, [&](std::uint8_t marker, Bytes segment) {
    if (marker == kPreset) check_preset(segment, header);
    if (marker == kStartOfScan) check_scan(segment, header);
  });
}

void require(const OFCondition& result) {
  if (result.bad()) fail(ErrorCode::corrupt, "a JPEG-LS frame that cannot be decoded: ", result.text());
}

// Only what the decoder looks at.
void describe(const PixelLayout& layout, int bits_allocated, DcmDataset& dataset) {
  require(dataset.putAndInsertUint16(DCM_SamplesPerPixel, static_cast<Uint16>(layout.samples)));
  require(dataset.putAndInsertUint16(DCM_Rows, static_cast<Uint16>(layout.rows)));
  require(dataset.putAndInsertUint16(DCM_Columns, static_cast<Uint16>(layout.columns)));
  require(dataset.putAndInsertUint16(DCM_BitsAllocated, static_cast<Uint16>(bits_allocated)));
  require(dataset.putAndInsertUint16(DCM_BitsStored, static_cast<Uint16>(bits_allocated)));
  require(
      dataset.putAndInsertString(DCM_PhotometricInterpretation, layout.samples == 1 ? "MONOCHROME2" : "RGB"));
}

void append_item(DcmPixelSequence& sequence, Bytes bytes) {
  auto item = std::make_unique<DcmPixelItem>(DcmTag(DCM_Item, EVR_OB));
  if (!bytes.empty()) require(item->putUint8Array(bytes.data(), static_cast<unsigned long>(bytes.size())));
  require(sequence.insert(item.get()));
  static_cast<void>(item.release());  // the sequence owns it now
}

}  // namespace

std::vector<std::uint8_t> decode_jpeg_ls(const PixelLayout& layout, Bytes stream) {
  const JpegHeader header = read_jpeg_header(stream, layout);
  check_parameters(stream, header);
  const int bits = header.precision <= 8 ? 8 : 16;
  DcmDataset dataset;
  describe(layout, bits, dataset);
  DcmPixelSequence sequence(DcmTag(DCM_PixelSequenceTag, EVR_OB));
  append_item(sequence, {});  // the offset table
  append_item(sequence, with_tail(stream));
  const DJLSCodecParameter parameters(EJLSUC_never, EJLSPC_colorByPixel, OFTrue, OFTrue);
  std::vector<std::uint8_t> samples(layout.pixels() * layout.samples * static_cast<std::size_t>(bits) / 8);
  Uint32 fragment = 1;
  OFString colour_model;
  require(DJLSNearLosslessDecoder().decodeFrame(nullptr, &sequence, &parameters, &dataset, 0, fragment,
                                                samples.data(), static_cast<Uint32>(samples.size()),
                                                colour_model));
  return widen_samples(std::move(samples), layout);
}

}  // namespace medretrieval::imaging
