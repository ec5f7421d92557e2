// RLE Lossless (PS3.5 annex G): for every byte of every sample one segment, packed with PackBits.
//
// DCMTK has a decoder for it, which fills the rest of a segment that ends early; here that is an error.
#include <algorithm>
#include <medretrieval/error.hpp>

#include "base/concat.hpp"
#include "imaging/dicom_codecs.hpp"

namespace medretrieval::imaging {

using detail::fail;

namespace {

constexpr std::size_t kHeaderBytes = 64;  // the number of segments, then room for 15 offsets
constexpr std::size_t kMaxSegments = 15;

std::uint32_t little_endian_32(std::span<const std::uint8_t> bytes) {
  return bytes[0] | std::uint32_t{bytes[1]} << 8 | std::uint32_t{bytes[2]} << 16 |
         std::uint32_t{bytes[3]} << 24;
}

/// Writes the `count` bytes of one segment to target[0], target[stride] and so on.
void unpack_segment(std::span<const std::uint8_t> packed, std::uint8_t* target, std::size_t stride,
                    std::size_t count) {
  std::size_t done = 0;
  std::size_t next = 0;
  const auto require = [&](std::size_t more) {
    if (packed.size() - next < more) {
      fail(ErrorCode::corrupt, "an RLE segment ends after ", done, " of ", count, " bytes");
    }
  };
  while (done < count) {
    require(1);
    const std::size_t control = packed[next++];
    if (control == 128) continue;  // stands for nothing
    const bool literal = control < 128;
    const std::size_t run = std::min(literal ? control + 1 : 257 - control, count - done);
    require(literal ? run : 1);
    for (std::size_t i = 0; i < run; ++i) target[(done + i) * stride] = packed[next + (literal ? i : 0)];
    done += run;
    next += literal ? run : 1;
  }
}

}  // namespace

std::vector<std::uint8_t> decode_rle(const PixelLayout& layout, std::span<const std::uint8_t> stream) {
  const std::size_t size = layout.sample_bytes();
  const std::size_t segments = layout.samples * size;
  if (stream.size() < kHeaderBytes || segments > kMaxSegments || little_endian_32(stream) != segments) {
    fail(ErrorCode::corrupt, "an RLE frame of ", stream.size(), " bytes without a header of ", segments,
         " segments");
  }
  if (layout.bits_allocated == 1) fail(ErrorCode::unsupported, "RLE of single bits");
  std::vector<std::uint8_t> samples(layout.frame_bytes());
  for (std::size_t segment = 0; segment < segments; ++segment) {
    const std::size_t begin = little_endian_32(stream.subspan(4 + 4 * segment));
    const std::size_t end =
        segment + 1 < segments ? little_endian_32(stream.subspan(8 + 4 * segment)) : stream.size();
    if (begin < kHeaderBytes || begin > end || end > stream.size()) {
      fail(ErrorCode::corrupt, "RLE segment ", segment, " from byte ", begin, " to ", end, " of ",
           stream.size());
    }
    // The most significant byte of a sample comes first.
    const std::size_t byte = segment / size * size + (size - 1 - segment % size);
    unpack_segment(stream.subspan(begin, end - begin), &samples[byte], segments, layout.pixels());
  }
  return samples;
}

}  // namespace medretrieval::imaging
