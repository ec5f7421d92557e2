// Bounded decompression of zlib's formats.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace medretrieval::imaging {

enum class DeflateFormat {
  raw,           ///< a bare deflate stream, as deflated DICOM has it
  zlib_or_gzip,  ///< with the header of either, as MetaImage has it
};

/// The decompressed bytes; what follows the end of the stream is ignored.
/// \throws Error corrupt (cut or damaged), limit_exceeded (more than `limit` bytes would come out).
std::vector<std::uint8_t> inflate_bytes(std::span<const std::uint8_t> compressed, DeflateFormat format,
                                        std::size_t limit);

}  // namespace medretrieval::imaging
