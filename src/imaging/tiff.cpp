// TIFF (the first page) through libtiff, with error handlers of its own instead of libtiff's global ones.
#include <tiffio.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/concat.hpp"
#include "imaging/raster.hpp"
#include "imaging/unfolding.hpp"

namespace medretrieval::imaging {

using detail::fail;

namespace {

// A tile may be larger than its image; this keeps a small file from asking for much memory.
constexpr std::uint32_t kMaxTileSide = 4096;

// What libtiff reads from and what it last complained about.
struct Session {
  std::span<const std::uint8_t> bytes;
  std::uint64_t position = 0;
  std::string message;
};

tmsize_t read_bytes(thandle_t handle, void* target, tmsize_t count) {
  auto& session = *static_cast<Session*>(handle);
  const std::uint64_t rest =
      session.position < session.bytes.size() ? session.bytes.size() - session.position : 0;
  const auto copied = std::min(static_cast<std::uint64_t>(count), rest);
  if (copied > 0) std::memcpy(target, session.bytes.data() + session.position, copied);
  session.position += copied;
  return static_cast<tmsize_t>(copied);
}

toff_t seek_bytes(thandle_t handle, toff_t offset, int whence) {
  auto& session = *static_cast<Session*>(handle);
  if (whence == SEEK_CUR) offset += session.position;
  if (whence == SEEK_END) offset += session.bytes.size();
  return session.position = offset;
}

tmsize_t write_nothing(thandle_t, void*, tmsize_t) {
  return 0;
}
int close_nothing(thandle_t) {
  return 0;
}
toff_t byte_count(thandle_t handle) {
  return static_cast<Session*>(handle)->bytes.size();
}

int keep_message(TIFF*, void* session, const char* module, const char* format, va_list arguments) {
  char text[256];
  std::vsnprintf(text, sizeof text, format, arguments);
  static_cast<Session*>(session)->message = detail::concat(module, ": ", text);
  return 1;  // handled: the global handler, which prints, is not called
}

using TiffHandle = std::unique_ptr<TIFF, decltype(&TIFFClose)>;

TiffHandle open(Session& session) {
  const std::unique_ptr<TIFFOpenOptions, decltype(&TIFFOpenOptionsFree)> options(TIFFOpenOptionsAlloc(),
                                                                                 &TIFFOpenOptionsFree);
  if (!options) throw std::bad_alloc();
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), tmsize_t{kMaxSampleBytes});
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), keep_message, &session);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), keep_message, &session);
  TiffHandle tiff(TIFFClientOpenExt("memory", "rm", &session, read_bytes, write_nothing, seek_bytes,
                                    close_nothing, byte_count, nullptr, nullptr, options.get()),
                  &TIFFClose);
  if (!tiff) fail(ErrorCode::corrupt, "not a whole TIFF: ", session.message);
  return tiff;
}

// One page, as far as its pixels are concerned.
struct Page {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::uint16_t bits = 1;
  std::uint16_t samples = 1;  // between one pixel and the next
  std::uint16_t photometric = PHOTOMETRIC_MINISBLACK;
  std::size_t channels = 1;  // as grey_row() counts them
  std::array<const std::uint16_t*, 3> palette = {};

  std::size_t sample_bytes() const { return std::size_t{samples} * bits / 8; }  // of a pixel
  float white() const { return bits == 8 && photometric != PHOTOMETRIC_PALETTE ? 255.0F : 65535.0F; }
};

std::uint16_t short_tag(TIFF* tiff, std::uint32_t tag) {
  std::uint16_t value = 0;
  TIFFGetFieldDefaulted(tiff, tag, &value);
  return value;
}

bool has_straight_alpha(TIFF* tiff) {
  std::uint16_t count = 0;
  const std::uint16_t* kinds = nullptr;
  TIFFGetFieldDefaulted(tiff, TIFFTAG_EXTRASAMPLES, &count, &kinds);
  return count > 0 && kinds[0] == EXTRASAMPLE_UNASSALPHA;
}

// Pixel layouts other than 8- or 16-bit unsigned, interleaved grey, RGB and palette are refused.
void require_readable(TIFF* tiff, const Page& page) {
  const std::uint16_t format = short_tag(tiff, TIFFTAG_SAMPLEFORMAT);
  const std::uint16_t planes = short_tag(tiff, TIFFTAG_PLANARCONFIG);
  const bool bits_fit = page.bits == 8 || (page.bits == 16 && page.photometric != PHOTOMETRIC_PALETTE);
  if (!bits_fit || page.samples > 4 || format != SAMPLEFORMAT_UINT ||
      (planes != PLANARCONFIG_CONTIG && page.samples > 1)) {
    fail(ErrorCode::unsupported, "a TIFF of ", page.samples, " samples of ", page.bits,
         " bits, sample format ", format, ", planar configuration ", planes,
         "; 1 to 4 interleaved unsigned samples of 8 or 16 bits (palettes: 8) are read");
  }
}

Page read_page(TIFF* tiff, const Session& session) {
  Page page;
  if (TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &page.width) != 1 ||
      TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &page.height) != 1 ||
      TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &page.photometric) != 1) {
    fail(ErrorCode::corrupt, "a TIFF without size or photometric interpretation: ", session.message);
  }
  if (page.photometric == PHOTOMETRIC_YCBCR && short_tag(tiff, TIFFTAG_COMPRESSION) == COMPRESSION_JPEG) {
    TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    page.photometric = PHOTOMETRIC_RGB;
  }
  page.bits = short_tag(tiff, TIFFTAG_BITSPERSAMPLE);
  page.samples = short_tag(tiff, TIFFTAG_SAMPLESPERPIXEL);
  require_readable(tiff, page);
  switch (page.photometric) {
    case PHOTOMETRIC_MINISBLACK:
    case PHOTOMETRIC_MINISWHITE:
      page.channels = 1;
      break;
    case PHOTOMETRIC_RGB:
      page.channels = 3;
      break;
    case PHOTOMETRIC_PALETTE: {
      std::array<std::uint16_t*, 3> map = {};
      if (TIFFGetField(tiff, TIFFTAG_COLORMAP, &map[0], &map[1], &map[2]) != 1) {
        fail(ErrorCode::corrupt, "a palette TIFF without colour map");
      }
      page.palette = {map[0], map[1], map[2]};
      break;
    }
    default:
      fail(ErrorCode::unsupported, "a TIFF of photometric interpretation ", page.photometric,
           "; grey, RGB, palette and JPEG's YCbCr are read");
  }
  if (page.samples < page.channels) {
    fail(ErrorCode::corrupt, "a TIFF with ", page.samples, " samples a pixel where ", page.channels,
         " are needed");
  }
  if (page.samples > page.channels && has_straight_alpha(tiff)) ++page.channels;
  return page;
}

void convert_row(const Page& page, const void* samples, std::span<float> row) {
  const auto* bytes = static_cast<const std::uint8_t*>(samples);
  if (page.photometric == PHOTOMETRIC_PALETTE) {
    for (std::size_t x = 0; x < row.size(); ++x) {
      const std::uint8_t index = bytes[x * page.samples];
      row[x] = luminance(page.palette[0][index], page.palette[1][index], page.palette[2][index]);
    }
  } else if (page.bits == 8) {
    grey_row(bytes, page.samples, page.channels, page.white(), row);
  } else {
    grey_row(static_cast<const std::uint16_t*>(samples), page.samples, page.channels, page.white(), row);
  }
  if (page.photometric == PHOTOMETRIC_MINISWHITE) {
    std::transform(row.begin(), row.end(), row.begin(), [&](float value) { return page.white() - value; });
  }
}

// libtiff only warns where compressed data is cut or wrong, and makes up the rest; so a warning is an error.
void require_read(bool done, const Session& session) {
  if (!done || !session.message.empty()) fail(ErrorCode::corrupt, "not a whole TIFF: ", session.message);
}

void read_strips(TIFF* tiff, const Session& session, const Page& page, Image& image) {
  require_plausible_samples(page.sample_bytes() * page.width * page.height, session.bytes.size());
  std::vector<std::uint16_t> line(static_cast<std::size_t>(TIFFScanlineSize64(tiff)) / 2 + 1);
  for (std::uint32_t y = 0; y < page.height; ++y) {
    require_read(TIFFReadScanline(tiff, line.data(), y, 0) == 1, session);
    convert_row(page, line.data(), image.row(y));
  }
}

std::size_t padded(std::size_t side, std::size_t tile) {
  return (side + tile - 1) / tile * tile;
}

void read_tiles(TIFF* tiff, const Session& session, const Page& page, Image& image) {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  TIFFGetField(tiff, TIFFTAG_TILEWIDTH, &width);
  TIFFGetField(tiff, TIFFTAG_TILELENGTH, &height);
  if (width == 0 || height == 0 || width > kMaxTileSide || height > kMaxTileSide) {
    fail(ErrorCode::limit_exceeded, "a TIFF with tiles of ", width, " x ", height, "; 1 to ", kMaxTileSide,
         " a side are read");
  }
  const std::size_t decoded = padded(page.width, width) * padded(page.height, height);
  require_plausible_samples(decoded * page.sample_bytes(), session.bytes.size());
  const std::size_t row_bytes = static_cast<std::size_t>(TIFFTileRowSize64(tiff));
  std::vector<std::uint16_t> tile(row_bytes * height / 2 + 1);
  for (std::uint32_t top = 0; top < page.height; top += height) {
    for (std::uint32_t left = 0; left < page.width; left += width) {
      require_read(TIFFReadTile(tiff, tile.data(), left, top, 0, 0) >= 0, session);
      const auto* line = reinterpret_cast<const std::uint8_t*>(tile.data());
      for (std::uint32_t y = top; y < std::min(top + height, page.height); ++y, line += row_bytes) {
        convert_row(page, line, image.row(y).subspan(left, std::min(width, page.width - left)));
      }
    }
  }
}

}  // namespace

GreyRaster decode_tiff(std::span<const std::uint8_t> bytes) {
  Session session;
  session.bytes = bytes;
  const TiffHandle tiff = open(session);
  const Page page = read_page(tiff.get(), session);
  GreyRaster raster = make_raster(page.width, page.height, page.white(), bytes.size());
  session.message.clear();
  if (TIFFIsTiled(tiff.get()) != 0) {
    read_tiles(tiff.get(), session, page, raster.image);
  } else {
    read_strips(tiff.get(), session, page, raster.image);
  }
  return raster;
}

}  // namespace medretrieval::imaging
