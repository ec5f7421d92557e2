// JPEG 2000 (ISO 15444-1) through OpenJPEG; DCMTK 3.6 has no decoder for it.
#include <openjpeg.h>

#include <algorithm>
#include <cstring>
#include <medretrieval/error.hpp>
#include <memory>
#include <string>

#include "base/concat.hpp"
#include "imaging/dicom_codecs.hpp"
#include "imaging/jpeg_2000_header.hpp"

namespace medretrieval::imaging {

using detail::fail;

namespace {

template <auto Destroy>
struct Destroyer {
  template <class Object>
  void operator()(Object* object) const {
    Destroy(object);
  }
};
using Codec = std::unique_ptr<opj_codec_t, Destroyer<opj_destroy_codec>>;
using Stream = std::unique_ptr<opj_stream_t, Destroyer<opj_stream_destroy>>;
using Decoded = std::unique_ptr<opj_image_t, Destroyer<opj_image_destroy>>;

// What OpenJPEG reads from.
struct Source {
  std::span<const std::uint8_t> bytes;
  std::size_t position = 0;
};

OPJ_SIZE_T read_bytes(void* target, OPJ_SIZE_T count, void* user) {
  auto& source = *static_cast<Source*>(user);
  const std::size_t taken = std::min(count, source.bytes.size() - source.position);
  if (taken == 0) return static_cast<OPJ_SIZE_T>(-1);  // OpenJPEG's mark for the end
  std::memcpy(target, source.bytes.data() + source.position, taken);
  source.position += taken;
  return taken;
}

OPJ_OFF_T skip_bytes(OPJ_OFF_T count, void* user) {
  auto& source = *static_cast<Source*>(user);
  const auto rest = static_cast<OPJ_OFF_T>(source.bytes.size() - source.position);
  if (count < 0 || count > rest) return -1;
  source.position += static_cast<std::size_t>(count);
  return count;
}

OPJ_BOOL seek_to(OPJ_OFF_T position, void* user) {
  auto& source = *static_cast<Source*>(user);
  if (position < 0 || static_cast<std::size_t>(position) > source.bytes.size()) return OPJ_FALSE;
  source.position = static_cast<std::size_t>(position);
  return OPJ_TRUE;
}

Stream open_stream(Source& source) {
  Stream stream(opj_stream_default_create(OPJ_TRUE));
  if (!stream) throw std::bad_alloc();
  opj_stream_set_user_data(stream.get(), &source, nullptr);
  opj_stream_set_user_data_length(stream.get(), source.bytes.size());
  opj_stream_set_read_function(stream.get(), read_bytes);
  opj_stream_set_skip_function(stream.get(), skip_bytes);
  opj_stream_set_seek_function(stream.get(), seek_to);
  return stream;
}

void keep_message(const char* message, void* user) {
  std::string& kept = *static_cast<std::string*>(user);
  kept = message;
  while (!kept.empty() && kept.back() == '\n') kept.pop_back();
}

Codec open_codec(std::string& message) {
  Codec codec(opj_create_decompress(OPJ_CODEC_J2K));
  if (!codec) throw std::bad_alloc();
  opj_set_error_handler(codec.get(), keep_message, &message);
  opj_dparameters_t parameters;
  opj_set_default_decoder_parameters(&parameters);
  // Strict: a stream that is cut is an error and not a blurred image.
  if (opj_setup_decoder(codec.get(), &parameters) == OPJ_FALSE ||
      opj_decoder_set_strict_mode(codec.get(), OPJ_TRUE) == OPJ_FALSE) {
    fail(ErrorCode::unsupported, "OpenJPEG: ", message);
  }
  return codec;
}

void require_same_shape(const PixelLayout& layout, const opj_image_t& image) {
  if (image.numcomps != layout.samples) {
    fail(ErrorCode::corrupt, "a JPEG 2000 frame of ", image.numcomps, " components in a DICOM image of ",
         layout.samples);
  }
  for (const opj_image_comp_t& component : std::span(image.comps, image.numcomps)) {
    if (component.dx != 1 || component.dy != 1) {
      fail(ErrorCode::unsupported, "a JPEG 2000 frame with subsampled components");
    }
    if (component.w != layout.columns || component.h != layout.rows ||
        component.prec > static_cast<OPJ_UINT32>(layout.bits_allocated)) {
      fail(ErrorCode::corrupt, "a JPEG 2000 frame of ", component.w, " x ", component.h, ", ", component.prec,
           " bits in a DICOM image of ", layout.columns, " x ", layout.rows, ", ", layout.bits_allocated,
           " bits");
    }
  }
}

// The data set's PixelRepresentation decides what the bits mean; there are files whose codestream says
// otherwise about its sign.
std::vector<std::uint8_t> interleave(const PixelLayout& layout, const opj_image_t& image) {
  const std::size_t size = layout.sample_bytes();
  std::vector<std::uint8_t> samples(layout.frame_bytes());
  for (std::size_t channel = 0; channel < layout.samples; ++channel) {
    const opj_image_comp_t& component = image.comps[channel];
    if (component.data == nullptr) fail(ErrorCode::corrupt, "a JPEG 2000 frame without data for a component");
    const std::uint64_t mask = (std::uint64_t{1} << component.prec) - 1;
    const std::uint64_t sign = layout.is_signed ? mask / 2 + 1 : 0;
    for (std::size_t pixel = 0; pixel < layout.pixels(); ++pixel) {
      const std::uint64_t bits = static_cast<std::uint64_t>(component.data[pixel]) & mask;
      const std::uint64_t value = (bits ^ sign) - sign;
      std::uint8_t* target = &samples[(pixel * layout.samples + channel) * size];
      for (std::size_t byte = 0; byte < size; ++byte)
        target[byte] = static_cast<std::uint8_t>(value >> 8 * byte);
    }
  }
  return samples;
}

}  // namespace

std::vector<std::uint8_t> decode_jpeg_2000(const PixelLayout& layout, std::span<const std::uint8_t> bytes) {
  Source source{jpeg_2000_codestream(bytes)};
  check_jpeg_2000_header(source.bytes, layout);
  std::string message;
  const Stream stream = open_stream(source);
  const Codec codec = open_codec(message);
  opj_image_t* image = nullptr;
  const bool has_header = opj_read_header(stream.get(), codec.get(), &image) != OPJ_FALSE;
  const Decoded decoded(image);
  if (!has_header || !decoded) fail(ErrorCode::corrupt, "a JPEG 2000 frame without header: ", message);
  require_same_shape(layout, *decoded);
  if (opj_decode(codec.get(), stream.get(), decoded.get()) == OPJ_FALSE ||
      opj_end_decompress(codec.get(), stream.get()) == OPJ_FALSE) {
    fail(ErrorCode::corrupt, "a JPEG 2000 frame that cannot be decoded: ", message);
  }
  return interleave(layout, *decoded);
}

}  // namespace medretrieval::imaging
