// JPEG-LS (ISO 14495-1) through DCMTK's decoder class, which wants its input as a small DICOM data set.
#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcpxitem.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmjpls/djcodecd.h>
#include <dcmtk/dcmjpls/djcparam.h>

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

void require(const OFCondition& result) {
  if (result.bad()) fail(ErrorCode::corrupt, "a JPEG-LS frame that cannot be decoded: ", result.text());
}

// Only what the decoder looks at. It compares rows, columns and samples with the stream.
void describe(const PixelLayout& layout, int bits_allocated, DcmDataset& dataset) {
  require(dataset.putAndInsertUint16(DCM_SamplesPerPixel, static_cast<Uint16>(layout.samples)));
  require(dataset.putAndInsertUint16(DCM_Rows, static_cast<Uint16>(layout.rows)));
  require(dataset.putAndInsertUint16(DCM_Columns, static_cast<Uint16>(layout.columns)));
  require(dataset.putAndInsertUint16(DCM_BitsAllocated, static_cast<Uint16>(bits_allocated)));
  require(dataset.putAndInsertUint16(DCM_BitsStored, static_cast<Uint16>(bits_allocated)));
  require(
      dataset.putAndInsertString(DCM_PhotometricInterpretation, layout.samples == 1 ? "MONOCHROME2" : "RGB"));
}

void append_item(DcmPixelSequence& sequence, std::span<const std::uint8_t> bytes) {
  auto item = std::make_unique<DcmPixelItem>(DcmTag(DCM_Item, EVR_OB));
  if (!bytes.empty()) require(item->putUint8Array(bytes.data(), static_cast<unsigned long>(bytes.size())));
  require(sequence.insert(item.get()));
  item.release();  // the sequence owns it now
}

}  // namespace

std::vector<std::uint8_t> decode_jpeg_ls(const PixelLayout& layout, std::span<const std::uint8_t> stream) {
  const JpegHeader header = read_jpeg_header(stream);
  if (header.precision > layout.bits_allocated || layout.bits_allocated > 16) {
    fail(ErrorCode::corrupt, "a JPEG-LS frame of ", header.precision, " bits in a DICOM image of ",
         layout.bits_allocated, " bits");
  }
  const int bits = header.precision <= 8 ? 8 : 16;
  DcmDataset dataset;
  describe(layout, bits, dataset);
  DcmPixelSequence sequence(DcmTag(DCM_PixelSequenceTag, EVR_OB));
  append_item(sequence, {});  // the offset table
  append_item(sequence, stream);
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
