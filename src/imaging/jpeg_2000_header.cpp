// Marker segments of ISO 15444-1 annex A.
#include "imaging/jpeg_2000_header.hpp"

#include <algorithm>
#include <array>
#include <medretrieval/error.hpp>
#include <optional>

#include "base/concat.hpp"
#include "imaging/unfolding.hpp"

namespace medretrieval::imaging {

using detail::fail;

namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::size_t kStartOfTile = 0xFF90;
constexpr std::size_t kStartOfData = 0xFF93;
constexpr std::size_t kSize = 0xFF51;
constexpr std::size_t kStyle = 0xFF52;           // of all components
constexpr std::size_t kComponentStyle = 0xFF53;  // of one
constexpr std::size_t kQuantization = 0xFF5C;
constexpr std::size_t kComponentQuantization = 0xFF5D;
constexpr std::size_t kRegionOfInterest = 0xFF5E;
constexpr std::size_t kMostBitPlanes = 30;  // that OpenJPEG decodes

std::size_t big_endian(Bytes bytes, std::size_t at, std::size_t size) {
  std::size_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | bytes[at + i];
  return value;
}

std::size_t parts(std::size_t whole, std::size_t part) {
  return (whole + part - 1) / part;
}

struct Tiles {
  std::size_t width = 0;  ///< of one, at most the image's
  std::size_t height = 0;
  std::size_t count = 0;
};

/// `segment`: from its length on.
Tiles read_size(Bytes segment, const PixelLayout& layout) {
  if (segment.size() < 38) fail(ErrorCode::corrupt, "a JPEG 2000 frame with a cut header");
  const auto number = [&](std::size_t index) { return big_endian(segment, 4 + 4 * index, 4); };
  const std::size_t components = big_endian(segment, 36, 2);
  const std::size_t right = number(0);
  const std::size_t bottom = number(1);
  const std::size_t left = number(2);
  const std::size_t top = number(3);
  if (right < left || bottom < top || right - left != layout.columns || bottom - top != layout.rows ||
      components != layout.samples) {
    fail(ErrorCode::corrupt, "a JPEG 2000 frame from ", left, ", ", top, " to ", right, ", ", bottom, " of ",
         components, " components in a DICOM image of ", layout.columns, " x ", layout.rows, " x ",
         layout.samples);
  }
  const std::size_t tile_left = number(6);
  const std::size_t tile_top = number(7);
  if (number(4) == 0 || number(5) == 0 || tile_left > left || tile_top > top) {
    fail(ErrorCode::corrupt, "a JPEG 2000 frame with tiles of ", number(4), " x ", number(5));
  }
  return {std::min(number(4), layout.columns), std::min(number(5), layout.rows),
          parts(right - tile_left, number(4)) * parts(bottom - tile_top, number(5))};
}

/// The part of a coding style that decides how finely a tile is divided.
struct Style {
  std::size_t levels = 0;                    ///< of decomposition
  std::size_t code_block = 0;                ///< exponents of width and height together
  std::array<std::uint8_t, 33> precincts{};  ///< exponent of the width, and of the height times 16
};

/// `segment` from the number of levels on.
Style read_style(Bytes segment, bool has_precincts) {
  constexpr std::size_t kFixed = 5;
  Style style;
  if (segment.size() >= kFixed) style.levels = segment[0];
  if (segment.size() < kFixed || style.levels > 32 ||
      (has_precincts && segment.size() < kFixed + style.levels + 1)) {
    fail(ErrorCode::corrupt, "a JPEG 2000 coding style of ", style.levels, " levels in ", segment.size(),
         " bytes");
  }
  style.code_block = std::size_t{segment[1]} + segment[2] + 4;
  style.precincts.fill(0xFF);
  if (has_precincts) std::copy_n(segment.begin() + kFixed, style.levels + 1, style.precincts.begin());
  return style;
}

void require_at_most(std::size_t count, std::size_t most, const char* what) {
  if (count > most) {
    fail(ErrorCode::limit_exceeded, "a JPEG 2000 frame of ", count, " ", what, "; at most ", most,
         " are read");
  }
}

/// Of all components of the frame, were all of them coded like this.
void check_style(const Style& style, std::size_t layers, const Tiles& tiles, const PixelLayout& layout) {
  std::size_t all = 0;
  std::size_t most = 0;
  for (std::size_t resolution = 0; resolution <= style.levels; ++resolution) {
    const std::size_t shrink = std::size_t{1} << (style.levels - resolution);
    const std::size_t exponents = style.precincts[resolution];
    // One more on each axis, because precincts lie on a grid that the tile need not begin on.
    const std::size_t across = parts(parts(tiles.width, shrink), std::size_t{1} << (exponents & 15)) + 1;
    const std::size_t down = parts(parts(tiles.height, shrink), std::size_t{1} << (exponents >> 4)) + 1;
    all += across * down;
    most = std::max(most, across * down);
  }
  const std::size_t blocks = layout.pixels() * layout.samples >> std::min<std::size_t>(style.code_block, 63);
  require_at_most(all * tiles.count * layout.samples, kMaxJpeg2000Precincts, "precincts");
  require_at_most(blocks, kMaxJpeg2000CodeBlocks, "code blocks");
  require_at_most((layers + 1) * (style.levels + 1) * layout.samples * most, kMaxJpeg2000Packets, "packets");
}

/// `segment` from the quantization style on: the most bit planes of a code block.
std::size_t bit_planes(Bytes segment) {
  const std::size_t step = (segment[0] & 31) == 0 ? 1 : 2;
  std::size_t exponent = 0;
  for (std::size_t at = 1; at < segment.size(); at += step) {
    exponent = std::max<std::size_t>(exponent, segment[at] >> 3);
  }
  return std::min(exponent + (segment[0] >> 5), kMostBitPlanes);
}

class HeaderWalk {
 public:
  HeaderWalk(Bytes stream, const PixelLayout& layout) : stream_(stream), layout_(layout) {}

  /// OpenJPEG refuses what is no list of segments; the walk ends there.
  void run() {
    std::size_t at = 2;
    std::size_t tile_end = stream_.size();
    while (at + 4 <= stream_.size()) {
      const std::size_t marker = big_endian(stream_, at, 2);
      if (marker == kStartOfData) {
        at = tile_end;
        continue;
      }
      const std::size_t length = big_endian(stream_, at + 2, 2);
      if (marker < 0xFF00 || length < 2 || length > stream_.size() - at - 2) break;
      const Bytes segment = stream_.subspan(at + 2, length);
      if (marker == kStartOfTile && length >= 8) {
        const std::size_t part = big_endian(segment, 4, 4);
        tile_end = part < 14 || part > stream_.size() - at ? stream_.size() : at + part;
      }
      visit(marker, segment);
      at += 2 + length;
    }
    if (!tiles_) fail(ErrorCode::corrupt, "a JPEG 2000 frame without header");
    const std::size_t samples = layout_.pixels() * layout_.samples;
    if (samples > stream_.size() * kMostUnfolding) {
      require_at_most(samples * 3 * bit_planes_, kMaxJpeg2000Passes, "coding passes over samples");
    }
  }

 private:
  void visit(std::size_t marker, Bytes segment) {
    if (marker == kSize) {
      tiles_ = read_size(segment, layout_);
      require_at_most(tiles_->count, kMaxJpeg2000Tiles, "tiles");
      require_at_most(layout_.pixels() * layout_.samples, kMaxJpeg2000Samples, "samples");
    } else if (marker == kStyle || marker == kComponentStyle) {
      if (!tiles_) fail(ErrorCode::corrupt, "a JPEG 2000 frame whose coding style comes before its size");
      const std::size_t skipped =
          marker == kStyle ? 7 : 4;  // length, component, style, progression and layers
      if (segment.size() < skipped) fail(ErrorCode::corrupt, "a JPEG 2000 frame with a cut coding style");
      if (marker == kStyle) layers_ = std::max(layers_, big_endian(segment, 4, 2));
      const bool has_precincts = (segment[marker == kStyle ? 2 : 3] & 1) != 0;
      check_style(read_style(segment.subspan(skipped), has_precincts), layers_, *tiles_, layout_);
    } else if (marker == kQuantization || marker == kComponentQuantization) {
      const std::size_t skipped = marker == kQuantization ? 2 : 3;
      if (segment.size() <= skipped) fail(ErrorCode::corrupt, "a JPEG 2000 frame with a cut quantization");
      bit_planes_ = std::max(bit_planes_, bit_planes(segment.subspan(skipped)));
    } else if (marker == kRegionOfInterest) {
      bit_planes_ = kMostBitPlanes;
    }
  }

  Bytes stream_;
  const PixelLayout& layout_;
  std::optional<Tiles> tiles_;
  std::size_t layers_ = 1;
  std::size_t bit_planes_ = 1;
};

}  // namespace

Bytes jpeg_2000_codestream(Bytes bytes) {
  constexpr std::array<std::uint8_t, 8> kSignature = {0, 0, 0, 12, 'j', 'P', ' ', ' '};
  constexpr std::size_t kCodestream = 0x6A703263;  // "jp2c"
  if (bytes.size() < kSignature.size() || !std::equal(kSignature.begin(), kSignature.end(), bytes.begin()))
    return bytes;
  while (bytes.size() >= 16) {
    std::size_t length = big_endian(bytes, 0, 4);
    const std::size_t header = length == 1 ? 16 : 8;
    if (length == 1) length = big_endian(bytes, 8, 8);
    if (length == 0) length = bytes.size();
    if (length < header || length > bytes.size()) break;
    if (big_endian(bytes, 4, 4) == kCodestream) return bytes.subspan(header, length - header);
    bytes = bytes.subspan(length);
  }
  fail(ErrorCode::corrupt, "a JP2 file without codestream");
}

void check_jpeg_2000_header(Bytes codestream, const PixelLayout& layout) {
  HeaderWalk(codestream, layout).run();
}

}  // namespace medretrieval::imaging
