#include "imaging/png_check.hpp"

#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>

#include "imaging/file_bytes.hpp"

namespace medretrieval::imaging {

namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::string_view kSignature = "\x89PNG\r\n\x1A\n";
constexpr std::size_t kChunkFrame = 12;  // length, name and checksum
constexpr std::size_t kHeaderBytes = 13;

std::uint32_t big_endian(Bytes bytes) {
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 | std::uint32_t{bytes[2]} << 8 |
         bytes[3];
}

bool has_name(Bytes chunk, std::string_view name) {
  return std::equal(name.begin(), name.end(), chunk.begin() + 4);
}

/// The first chunk with its frame; empty for one that is cut or damaged.
Bytes whole_chunk(Bytes rest) {
  if (rest.size() < kChunkFrame) return {};
  const std::size_t length = big_endian(rest);
  if (length > rest.size() - kChunkFrame) return {};
  const auto sum = crc32(0, rest.data() + 4, static_cast<uInt>(length + 4));
  return sum == big_endian(rest.subspan(length + 8)) ? rest.first(length + kChunkFrame) : Bytes();
}

bool is_whole(Bytes bytes, int bits) {
  const bool signed_as_png =
      bytes.size() > kSignature.size() &&
      std::equal(kSignature.begin(), kSignature.end(), bytes.begin(),
                 [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; });
  if (!signed_as_png) return false;
  bytes = bytes.subspan(kSignature.size());
  Bytes chunk = whole_chunk(bytes);
  if (chunk.size() != kHeaderBytes + kChunkFrame || !has_name(chunk, "IHDR")) return false;
  if (chunk[16] != bits || chunk[17] != 0) return false;  // bits a sample; colour type grey
  while (!chunk.empty() && !has_name(chunk, "IEND")) {
    bytes = bytes.subspan(chunk.size());
    chunk = whole_chunk(bytes);
  }
  return !chunk.empty() && chunk.size() == bytes.size();
}

}  // namespace

bool is_whole_grey_png(const std::filesystem::path& file, int bits) {
  try {
    return is_whole(read_file(file), bits);
  } catch (const Error&) {
    return false;
  }
}

}  // namespace medretrieval::imaging
