// JPEG (ISO 10918-1) through the decoders inside DCMTK, which also know 12-bit and lossless JPEG.
#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmjpeg/djcparam.h>
#include <dcmtk/dcmjpeg/djdijg12.h>
#include <dcmtk/dcmjpeg/djdijg16.h>
#include <dcmtk/dcmjpeg/djdijg8.h>

#include <algorithm>
#include <array>
#include <bit>
#include <medretrieval/error.hpp>

#include "base/concat.hpp"
#include "imaging/dicom_codecs.hpp"
#include "imaging/jpeg_header.hpp"
#include "imaging/unfolding.hpp"

namespace medretrieval::imaging {

using detail::fail;

// The decoders write samples of more than 8 bits in the machine's byte order.
static_assert(std::endian::native == std::endian::little);

namespace {

/// One of DCMTK's decoders that remembers warnings instead of logging them: the decoders only warn where data
/// is missing or wrong, and make up the rest of the image.
template <class Decoder>
class StrictDecoder final : public Decoder {
 public:
  using Decoder::Decoder;
  void emitMessage(int level) const override { has_warned = has_warned || level < 0; }
  mutable bool has_warned = false;
};

template <class Decoder>
void decode_with(std::span<std::uint8_t> stream, std::span<std::uint8_t> samples) {
  const DJCodecParameter parameters(ECC_lossyYCbCr, EDC_never, EUC_never, EPC_colorByPixel);
  StrictDecoder<Decoder> decoder(parameters, OFFalse);
  OFCondition result = decoder.init();
  if (result.good()) {
    result = decoder.decode(stream.data(), static_cast<Uint32>(stream.size()), samples.data(),
                            static_cast<Uint32>(samples.size()), OFFalse);
  }
  if (result.bad()) fail(ErrorCode::corrupt, "a JPEG frame that cannot be decoded: ", result.text());
  if (decoder.has_warned) fail(ErrorCode::corrupt, "a JPEG frame with damaged data");
}

/// In sequential JPEG the last three bytes of a scan header have one legal value. Some writers got them
/// wrong, which harms nothing but makes the decoder warn.
std::vector<std::uint8_t> with_legal_scan_header(std::span<const std::uint8_t> stream,
                                                 const JpegHeader& header) {
  std::vector<std::uint8_t> legal(stream.begin(), stream.end());
  const bool sequential = header.process == 0xC0 || header.process == 0xC1;
  const std::size_t length = 6 + 2 * header.components;
  if (!sequential || header.scan + length > legal.size()) return legal;
  if (legal[header.scan + 1] != length || legal[header.scan + 2] != header.components) return legal;
  const std::array<std::uint8_t, 3> values = {0, 63, 0};
  std::copy(values.begin(), values.end(), &legal[header.scan + length - 3]);
  return legal;
}

/// Counts every start of a scan; coded data cannot look like one.
void require_few_scans(std::span<const std::uint8_t> stream, const PixelLayout& layout) {
  std::size_t scans = 0;
  for (std::size_t at = 0; at + 1 < stream.size(); ++at) {
    scans += stream[at] == 0xFF && stream[at + 1] == kStartOfScan ? 1 : 0;
  }
  if (const std::size_t most = most_jpeg_scans(layout.pixels()); scans > most) {
    fail(ErrorCode::limit_exceeded, "a JPEG frame of ", scans, " scans; at most ", most, " are read");
  }
}

}  // namespace

std::vector<std::uint8_t> decode_dicom_jpeg(const PixelLayout& layout, std::span<const std::uint8_t> bytes) {
  const JpegHeader header = read_jpeg_header(bytes, layout);
  require_few_scans(bytes, layout);
  std::vector<std::uint8_t> stream = with_legal_scan_header(bytes, header);
  const std::size_t count = layout.pixels() * layout.samples;
  std::vector<std::uint8_t> samples(count * (header.precision <= 8 ? 1 : 2));
  if (header.precision <= 8) {
    decode_with<DJDecompressIJG8Bit>(stream, samples);
  } else if (header.precision <= 12) {
    decode_with<DJDecompressIJG12Bit>(stream, samples);
  } else {
    decode_with<DJDecompressIJG16Bit>(stream, samples);
  }
  return widen_samples(std::move(samples), layout);
}

}  // namespace medretrieval::imaging
