// Uncompressed pixel data (PS3.5 section 8).
#include <algorithm>
#include <limits>
#include <medretrieval/error.hpp>

#include "base/concat.hpp"
#include "imaging/dicom_codecs.hpp"

namespace medretrieval::imaging {

namespace {

// Bits that a frame takes in the file; frames of single bits are not padded to bytes.
std::size_t frame_bits(const PixelLayout& layout) {
  if (layout.bits_allocated == 1) return layout.pixels();
  const std::size_t bytes = layout.pixels() * layout.sample_bytes();
  return 8 * (layout.photometric == Photometric::ybr_full_422 ? bytes * 2 : bytes * layout.samples);
}

std::vector<std::uint8_t> unpack_bits(std::span<const std::uint8_t> bytes, std::size_t first,
                                      std::size_t count) {
  std::vector<std::uint8_t> samples(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t bit = first + i;
    samples[i] = static_cast<std::uint8_t>(bytes[bit / 8] >> (bit % 8) & 1);
  }
  return samples;
}

// Two pixels share their colour differences: Y1 Y2 Cb Cr to Y1 Cb Cr Y2 Cb Cr.
std::vector<std::uint8_t> expand_422(const PixelLayout& layout, std::span<const std::uint8_t> pairs) {
  const std::size_t size = layout.sample_bytes();
  std::vector<std::uint8_t> samples(layout.frame_bytes());
  for (std::size_t pixel = 0; pixel < layout.pixels(); ++pixel) {
    const std::uint8_t* pair = &pairs[pixel / 2 * 4 * size];
    std::uint8_t* target = &samples[pixel * 3 * size];
    std::copy_n(pair + pixel % 2 * size, size, target);
    std::copy_n(pair + 2 * size, 2 * size, target + size);
  }
  return samples;
}

}  // namespace

std::size_t native_bytes(const PixelLayout& layout) noexcept {
  const std::size_t bits = frame_bits(layout);
  if (layout.frames > (std::numeric_limits<std::size_t>::max() - 7) / bits) return 0;
  return (bits * layout.frames + 7) / 8;
}

std::vector<std::uint8_t> interleave_planes(const PixelLayout& layout, std::span<const std::uint8_t> planes) {
  const std::size_t size = layout.sample_bytes();
  const std::size_t plane = layout.pixels() * size;
  std::vector<std::uint8_t> samples(planes.size());
  for (std::size_t pixel = 0; pixel < layout.pixels(); ++pixel) {
    for (std::size_t sample = 0; sample < layout.samples; ++sample) {
      std::copy_n(&planes[sample * plane + pixel * size], size,
                  &samples[(pixel * layout.samples + sample) * size]);
    }
  }
  return samples;
}

std::vector<std::uint8_t> widen_samples(std::vector<std::uint8_t> samples, const PixelLayout& layout) {
  const std::size_t count = layout.pixels() * layout.samples;
  const std::size_t from = samples.size() / count;
  const std::size_t to = layout.sample_bytes();
  if (from == to) return samples;
  std::vector<std::uint8_t> wide(count * to);
  for (std::size_t i = 0; i < count; ++i) std::copy_n(&samples[i * from], from, &wide[i * to]);
  return wide;
}

std::vector<std::uint8_t> decode_native(const PixelLayout& layout, std::span<const std::uint8_t> pixel_data,
                                        std::size_t frame) {
  const std::size_t bits = frame_bits(layout);
  if (layout.bits_allocated == 1) return unpack_bits(pixel_data, frame * bits, bits);
  const auto stored = pixel_data.subspan(frame * bits / 8, bits / 8);
  if (layout.photometric == Photometric::ybr_full_422) {
    if (layout.columns % 2 != 0 || layout.is_planar) {
      detail::fail(ErrorCode::unsupported, "uncompressed YBR_FULL_422 of ", layout.columns,
                   " columns; an even number, interleaved, is read");
    }
    return expand_422(layout, stored);
  }
  if (layout.samples > 1 && layout.is_planar) return interleave_planes(layout, stored);
  return {stored.begin(), stored.end()};
}

}  // namespace medretrieval::imaging
