#include "imaging/inflate.hpp"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <medretrieval/error.hpp>
#include <new>

#include "base/concat.hpp"

namespace medretrieval::imaging {

using detail::fail;

namespace {

class Inflater {
 public:
  Inflater(std::span<const std::uint8_t> compressed, DeflateFormat format) {
    stream_.next_in = const_cast<Bytef*>(compressed.data());  // zlib does not write there
    stream_.avail_in = static_cast<uInt>(compressed.size());
    const int window_bits = format == DeflateFormat::raw ? -MAX_WBITS : MAX_WBITS + 32;
    if (inflateInit2(&stream_, window_bits) != Z_OK) throw std::bad_alloc();
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// Fills `target` as far as it can; the number of bytes written. zlib's result is kept in `status`.
  std::size_t fill(std::span<std::uint8_t> target) {
    stream_.next_out = target.data();
    stream_.avail_out = static_cast<uInt>(target.size());
    status = inflate(&stream_, Z_NO_FLUSH);
    return target.size() - stream_.avail_out;
  }

  int status = Z_OK;

 private:
  z_stream stream_ = {};
};

}  // namespace

std::vector<std::uint8_t> inflate_bytes(std::span<const std::uint8_t> compressed, DeflateFormat format,
                                        std::size_t limit) {
  constexpr std::size_t kStep = std::size_t{1} << 20;
  if (compressed.size() > std::numeric_limits<uInt>::max()) {
    fail(ErrorCode::limit_exceeded, "a compressed stream of ", compressed.size(), " bytes");
  }
  Inflater inflater(compressed, format);
  std::vector<std::uint8_t> bytes;
  std::size_t size = 0;
  while (inflater.status == Z_OK) {
    // One byte above the limit, so that a stream that ends exactly there is told from a longer one.
    bytes.resize(size + std::min(kStep, limit + 1 - size));
    size += inflater.fill(std::span(bytes).subspan(size));
    if (size > limit) fail(ErrorCode::limit_exceeded, "a compressed stream of more than ", limit, " bytes");
  }
  if (inflater.status != Z_STREAM_END) {
    fail(ErrorCode::corrupt, "a compressed stream that is cut or damaged after ", size, " bytes");
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace medretrieval::imaging
