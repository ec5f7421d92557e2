// Small image files made on the fly, by other code than the library's: a PNG writer by hand, libjpeg,
// libtiff.
#pragma once

#include <tiffio.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <jpeglib.h>

namespace medretrieval::testing {

using ByteVector = std::vector<std::uint8_t>;

inline void write_bytes(const std::filesystem::path& file, std::span<const std::uint8_t> bytes) {
  std::ofstream stream(file, std::ios::binary);
  stream.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!stream.flush()) throw std::runtime_error("cannot write " + file.string());
}

inline ByteVector read_bytes(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw std::runtime_error("cannot read " + file.string());
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

inline void append_big_endian(ByteVector& bytes, std::uint32_t value, int size = 4) {
  for (int shift = 8 * (size - 1); shift >= 0; shift -= 8)
    bytes.push_back(static_cast<std::uint8_t>(value >> shift));
}

/// zlib's format.
inline ByteVector deflated(std::span<const std::uint8_t> bytes) {
  uLongf size = compressBound(static_cast<uLong>(bytes.size()));
  ByteVector packed(size);
  compress(packed.data(), &size, bytes.data(), static_cast<uLong>(bytes.size()));
  packed.resize(size);
  return packed;
}

/// What a PNG says and holds. Rows are packed, samples big-endian, without filter bytes.
struct PngParts {
  std::uint32_t width = 1;
  std::uint32_t height = 1;
  std::uint8_t bits = 8;
  std::uint8_t colour_type = 0;  ///< 0 grey, 2 RGB, 3 palette, 4 grey + alpha, 6 RGBA
  ByteVector rows;
  ByteVector palette;
};

inline void append_png_chunk(ByteVector& file, const std::string& type, std::span<const std::uint8_t> data) {
  append_big_endian(file, static_cast<std::uint32_t>(data.size()));
  ByteVector checked(type.begin(), type.end());
  checked.insert(checked.end(), data.begin(), data.end());
  file.insert(file.end(), checked.begin(), checked.end());
  append_big_endian(file,
                    static_cast<std::uint32_t>(crc32(0, checked.data(), static_cast<uInt>(checked.size()))));
}

inline ByteVector make_png(const PngParts& parts) {
  ByteVector file = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  ByteVector header;
  append_big_endian(header, parts.width);
  append_big_endian(header, parts.height);
  header.insert(header.end(), {parts.bits, parts.colour_type, 0, 0, 0});
  append_png_chunk(file, "IHDR", header);
  if (!parts.palette.empty()) append_png_chunk(file, "PLTE", parts.palette);
  const std::size_t row_size = parts.rows.size() / parts.height;
  ByteVector filtered;
  for (std::size_t y = 0; row_size > 0 && y < parts.height; ++y) {
    filtered.push_back(0);
    filtered.insert(filtered.end(), parts.rows.begin() + static_cast<std::ptrdiff_t>(y * row_size),
                    parts.rows.begin() + static_cast<std::ptrdiff_t>((y + 1) * row_size));
  }
  append_png_chunk(file, "IDAT", deflated(filtered));
  append_png_chunk(file, "IEND", {});
  return file;
}

/// Interleaved 8-bit samples of 1 or 3 channels; progressive when `scans` says how.
inline ByteVector make_jpeg(std::uint32_t width, std::uint32_t height, int channels, ByteVector samples,
                            bool progressive = false, const std::vector<jpeg_scan_info>& scans = {}) {
  jpeg_compress_struct codec = {};
  jpeg_error_mgr errors = {};
  codec.err = jpeg_std_error(&errors);
  jpeg_create_compress(&codec);
  unsigned char* memory = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&codec, &memory, &size);
  codec.image_width = width;
  codec.image_height = height;
  codec.input_components = channels;
  codec.in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&codec);
  jpeg_set_quality(&codec, 95, TRUE);
  if (progressive) jpeg_simple_progression(&codec);
  if (!scans.empty()) {
    codec.scan_info = scans.data();
    codec.num_scans = static_cast<int>(scans.size());
  }
  jpeg_start_compress(&codec, TRUE);
  while (codec.next_scanline < height) {
    JSAMPROW row = &samples[codec.next_scanline * width * static_cast<std::size_t>(channels)];
    jpeg_write_scanlines(&codec, &row, 1);
  }
  jpeg_finish_compress(&codec);
  jpeg_destroy_compress(&codec);
  ByteVector file(memory, memory + size);
  std::free(memory);
  return file;
}

/// What a TIFF says; rows hold packed samples in the machine's byte order.
struct TiffParts {
  std::uint32_t width = 1;
  std::uint32_t height = 1;
  std::uint16_t bits = 8;
  std::uint16_t samples = 1;
  std::uint16_t photometric = PHOTOMETRIC_MINISBLACK;
  std::uint16_t compression = COMPRESSION_NONE;
  bool straight_alpha = false;
  bool tiled = false;  ///< one tile of 64 x 64
  std::array<std::vector<std::uint16_t>, 3> palette;
  ByteVector rows;
};

inline void write_tiff(const std::filesystem::path& file, TiffParts parts) {
  TIFF* tiff = TIFFOpen(file.c_str(), "w");
  if (tiff == nullptr) throw std::runtime_error("cannot write " + file.string());
  TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, parts.width);
  TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, parts.height);
  TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, parts.bits);
  TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, parts.samples);
  TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, parts.photometric);
  TIFFSetField(tiff, TIFFTAG_COMPRESSION, parts.compression);
  TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
  std::uint16_t alpha = EXTRASAMPLE_UNASSALPHA;
  if (parts.straight_alpha) TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, 1, &alpha);
  if (!parts.palette[0].empty()) {
    TIFFSetField(tiff, TIFFTAG_COLORMAP, parts.palette[0].data(), parts.palette[1].data(),
                 parts.palette[2].data());
  }
  const std::size_t row_size = parts.rows.size() / parts.height;
  if (parts.tiled) {
    TIFFSetField(tiff, TIFFTAG_TILEWIDTH, 64);
    TIFFSetField(tiff, TIFFTAG_TILELENGTH, 64);
    ByteVector tile(static_cast<std::size_t>(TIFFTileSize(tiff)));
    const std::size_t tile_row = static_cast<std::size_t>(TIFFTileRowSize(tiff));
    for (std::size_t y = 0; y < parts.height; ++y) {
      std::copy_n(&parts.rows[y * row_size], row_size, &tile[y * tile_row]);
    }
    TIFFWriteTile(tiff, tile.data(), 0, 0, 0, 0);
  } else {
    TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, 8);
    for (std::uint32_t y = 0; y < parts.height; ++y) TIFFWriteScanline(tiff, &parts.rows[y * row_size], y, 0);
  }
  TIFFClose(tiff);
}

}  // namespace medretrieval::testing
