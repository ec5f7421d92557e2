#include <medretrieval/bytes.hpp>

#include "base/concat.hpp"

namespace medretrieval {

void ByteWriter::raw(const void* data, std::size_t size) {
  const auto* first = static_cast<const std::byte*>(data);
  buffer_.insert(buffer_.end(), first, first + size);
}

std::string ByteReader::text() {
  const auto from = take(length(1));
  return {reinterpret_cast<const char*>(from.data()), from.size()};
}

void ByteReader::expect_end() const {
  if (left() != 0) corrupt(detail::concat(left(), " bytes follow the end"));
}

void ByteReader::corrupt(const std::string& reason) const {
  detail::fail(ErrorCode::corrupt, what_, ": ", reason);
}

std::span<const std::byte> ByteReader::take(std::size_t count) {
  if (count > left()) {
    corrupt(detail::concat("expected ", count, " more bytes at offset ", position_, ", got ", left()));
  }
  const auto taken = bytes_.subspan(position_, count);
  position_ += count;
  return taken;
}

std::size_t ByteReader::length(std::size_t element_size) {
  const auto count = number<std::uint64_t>();
  if (count > left() / element_size) {
    corrupt(detail::concat("an array claims ", count, " elements of ", element_size, " bytes, but ", left(),
                           " bytes are left"));
  }
  return static_cast<std::size_t>(count);
}

}  // namespace medretrieval
