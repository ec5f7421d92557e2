// Files that are made to hurt, small ones that claim or unfold to much.
#pragma once

#include <string>
#include <vector>

#include "support/dicom_bytes.hpp"
#include "support/make_images.hpp"

namespace medretrieval::testing {

/// zlib's format: `count` times `value`.
inline ByteVector deflated_run(std::size_t count, std::uint8_t value = 0) {
  return deflated(ByteVector(count, value));
}

/// A PNG of zeros, 16-bit RGBA, in one pass or in Adam7's seven; `chunks` come before the pixels.
inline ByteVector blank_png(std::uint32_t side, bool interlaced, const ByteVector& chunks = {}) {
  ByteVector file = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  ByteVector header;
  append_big_endian(header, side);
  append_big_endian(header, side);
  header.insert(header.end(), {16, 6, 0, 0, static_cast<std::uint8_t>(interlaced ? 1 : 0)});
  append_png_chunk(file, "IHDR", header);
  file.insert(file.end(), chunks.begin(), chunks.end());
  // A side of a multiple of 8 gives every pass whole rows: 1, 1, 2, 4, 4, 8 and 8 of 8 x 8 pixels begin one.
  const std::size_t filters = interlaced ? side / 8 * (1 + 1 + 1 + 2 + 2 + 4 + 4) : side;
  append_png_chunk(file, "IDAT", deflated_run(std::size_t{side} * side * 8 + filters));
  append_png_chunk(file, "IEND", {});
  return file;
}

/// `count` compressed texts that unfold to `bytes` each.
inline ByteVector png_texts(int count, std::size_t bytes) {
  ByteVector text = {'a', 0, 0};
  const ByteVector packed = deflated_run(bytes, 'a');
  text.insert(text.end(), packed.begin(), packed.end());
  ByteVector chunks;
  for (int i = 0; i < count; ++i) append_png_chunk(chunks, "zTXt", text);
  return chunks;
}

/// A blank progressive JPEG of `scans` passes, at most 500.
inline ByteVector blank_jpeg_of_scans(std::uint32_t side, std::size_t scans) {
  std::vector<jpeg_scan_info> passes = {{1, {0}, 0, 0, 0, 0}};
  for (int coefficient = 1; coefficient < 64; ++coefficient) {
    passes.push_back({1, {0}, coefficient, coefficient, 0, 8});
    for (int bit = 8; bit > 0; --bit) passes.push_back({1, {0}, coefficient, coefficient, bit, bit - 1});
  }
  passes.resize(scans);
  return make_jpeg(side, side, 1, ByteVector(std::size_t{side} * side, 128), false, passes);
}

/// What a JPEG 2000 header says.
struct Jpeg2000Parts {
  std::uint32_t side = 2;
  std::uint32_t tile = 0;  ///< 0: one tile
  std::uint16_t components = 1;
  std::uint16_t layers = 1;
  std::uint8_t levels = 5;
  std::uint8_t block = 4;  ///< exponent of a code block's side, less 2
  int precinct = -1;       ///< exponent of a precinct's side; -1: as large as can be
};

/// A codestream of empty packets: all samples have the middle value.
inline ByteVector blank_jpeg_2000(const Jpeg2000Parts& parts) {
  ByteVector file = {0xFF, 0x4F, 0xFF, 0x51};
  append_big_endian(file, 38U + 3U * parts.components, 2);
  append_big_endian(file, 0, 2);
  const std::uint32_t tile = parts.tile == 0 ? parts.side : parts.tile;
  for (const std::uint32_t value : {parts.side, parts.side, 0U, 0U, tile, tile, 0U, 0U})
    append_big_endian(file, value);
  append_big_endian(file, parts.components, 2);
  for (int i = 0; i < parts.components; ++i) file.insert(file.end(), {7, 1, 1});
  const std::uint32_t precincts = parts.precinct < 0 ? 0 : parts.levels + 1U;
  file.insert(file.end(), {0xFF, 0x52});
  append_big_endian(file, 12 + precincts, 2);
  file.insert(file.end(), {static_cast<std::uint8_t>(precincts > 0 ? 1 : 0), 0});
  append_big_endian(file, parts.layers, 2);
  file.insert(file.end(), {0, parts.levels, parts.block, parts.block, 0, 1});
  file.insert(file.end(), precincts, static_cast<std::uint8_t>(parts.precinct * 17));
  file.insert(file.end(), {0xFF, 0x5C});
  append_big_endian(file, 3U + 1U + 3U * parts.levels, 2);
  file.push_back(0x40);
  file.insert(file.end(), 1U + 3U * parts.levels, 0x40);
  const std::uint32_t packets = (parts.levels + 1U) * parts.components * parts.layers;
  file.insert(file.end(), {0xFF, 0x90, 0, 10, 0, 0});
  append_big_endian(file, 14 + packets);
  file.insert(file.end(), {0, 1, 0xFF, 0x93});
  file.insert(file.end(), packets, 0);
  file.insert(file.end(), {0xFF, 0xD9});
  if (file.size() % 2 != 0) file.push_back(0);
  return file;
}

/// Bits to bytes as packet headers have them: a byte behind FF begins with a 0.
inline ByteVector packet_header(const std::string& bits) {
  ByteVector bytes;
  std::size_t at = 0;
  while (at < bits.size()) {
    const bool stuffed = !bytes.empty() && bytes.back() == 0xFF;
    std::uint8_t byte = 0;
    for (int bit = stuffed ? 6 : 7; bit >= 0; --bit, ++at) {
      if (at < bits.size() && bits[at] == '1') byte = static_cast<std::uint8_t>(byte | 1 << bit);
    }
    bytes.push_back(byte);
  }
  if (bytes.back() == 0xFF) bytes.push_back(0);
  return bytes;
}

/// A codestream of one level whose code blocks of 64 x 64 samples claim 88 passes in one byte each.
inline ByteVector jpeg_2000_of_many_passes(std::uint32_t side) {
  ByteVector file = blank_jpeg_2000({.side = side, .levels = 0, .precinct = 6});
  const std::size_t quantization = 2 + 2 + 41 + 2 + 13;  // where its marker begins
  file[quantization + 5] = 29 << 3;                      // an exponent of 29: 30 bit planes
  file.resize(file.size() - 3 - (file.back() == 0 ? 1U : 0U));
  // Not empty, included, no missing plane; 88 passes; one byte in nine bits.
  ByteVector packet = packet_header(
      "1"
      "1"
      "1"
      "1111111110110011"
      "0"
      "000000001");
  packet.push_back(0x55);
  const std::size_t packets = std::size_t{side} / 64 * (side / 64);
  const std::size_t length = 14 + packets * packet.size();
  for (int i = 0; i < 4; ++i)
    file[file.size() - 8 + static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(length >> (24 - 8 * i));
  for (std::size_t i = 0; i < packets; ++i) file.insert(file.end(), packet.begin(), packet.end());
  file.insert(file.end(), {0xFF, 0xD9});
  if (file.size() % 2 != 0) file.push_back(0);
  return file;
}

inline DicomImageParts dicom_image(std::size_t side, std::uint16_t samples = 1) {
  DicomImageParts parts;
  parts.rows = parts.columns = static_cast<std::uint16_t>(side);
  parts.bits_allocated = parts.bits_stored = 8;
  parts.high_bit = 7;
  parts.samples = samples;
  if (samples == 3) parts.photometric = "RGB";
  return parts;
}

/// One frame of one fragment.
inline ByteVector dicom_of(const DicomImageParts& parts, const ByteVector& frame, const std::string& syntax) {
  return parts.data_set().fragments({frame}).file(syntax);
}

/// A frame of zeros in the longest runs of RLE, 64 pixels a byte.
inline ByteVector blank_rle(std::size_t side, std::size_t segments = 1) {
  ByteVector frame(64);
  frame[0] = static_cast<std::uint8_t>(segments);
  for (std::size_t segment = 0; segment < segments; ++segment) {
    const ByteVector begin = DicomBytes::four_bytes(frame.size());
    std::copy(begin.begin(), begin.end(), &frame[4 + 4 * segment]);
    for (std::size_t pixel = 0; pixel < side * side; pixel += 128) frame.insert(frame.end(), {0x81, 0});
  }
  return frame;
}

/// A deflated file of these bytes behind its meta header.
inline ByteVector deflated_dicom(std::span<const std::uint8_t> data_set) {
  ByteVector file = DicomBytes().file("1.2.840.10008.1.2.1.99");
  const ByteVector packed = deflated(data_set);
  file.insert(file.end(), packed.begin() + 2, packed.end() - 4);  // without zlib's header and checksum
  return file;
}

/// `count` elements without a value.
inline ByteVector empty_elements(std::size_t count) {
  ByteVector bytes;
  bytes.reserve(count * 8);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t group = 0x0009 + 2 * (i >> 15);
    const std::size_t element = 0x1000 + (i & 0x7FFF);
    for (const std::size_t half : {group, element}) {
      bytes.push_back(static_cast<std::uint8_t>(half));
      bytes.push_back(static_cast<std::uint8_t>(half >> 8));
    }
    bytes.insert(bytes.end(), {'L', 'O', 0, 0});
  }
  return bytes;
}

/// A sequence of `count` items without elements.
inline ByteVector empty_items(std::size_t count) {
  ByteVector bytes = {0x08, 0x00, 0x40, 0x11, 'S', 'Q', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF};
  for (std::size_t i = 0; i < count; ++i) bytes.insert(bytes.end(), {0xFE, 0xFF, 0x00, 0xE0, 0, 0, 0, 0});
  bytes.insert(bytes.end(), {0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0});
  return bytes;
}

/// As gzip packs it.
inline ByteVector packed_by_gzip(std::span<const std::uint8_t> bytes) {
  z_stream stream = {};
  deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
  ByteVector packed(deflateBound(&stream, static_cast<uLong>(bytes.size())));
  stream.next_in = const_cast<Bytef*>(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = packed.data();
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

inline ByteVector text_bytes(const std::string& text) {
  return {text.begin(), text.end()};
}

/// A compressed volume: `header` behind its size, then `voxels` bytes of zero in zlib's format.
inline ByteVector compressed_volume(const std::string& size, const std::string& type,
                                    std::size_t voxel_bytes) {
  ByteVector file = text_bytes("NDims = 3\nDimSize = " + size + "\nElementType = " + type +
                               "\nCompressedData = True\nElementDataFile = LOCAL\n");
  const ByteVector packed = deflated_run(voxel_bytes);
  file.insert(file.end(), packed.begin(), packed.end());
  return file;
}

}  // namespace medretrieval::testing
