/// \file
/// Reading and writing the little-endian byte form of encoders and models.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <medretrieval/error.hpp>

namespace medretrieval {

/// Appends values to a growing buffer. Integers and floats are little-endian; text and arrays carry a 64-bit
/// length.
class ByteWriter {
 public:
  template <class Number>
  requires std::is_arithmetic_v<Number>
  void number(Number value) { raw(&value, sizeof value); }
  void text(std::string_view value) {
    number<std::uint64_t>(value.size());
    raw(value.data(), value.size());
  }
  template <class Number>
  requires std::is_arithmetic_v<Number>
  void array(std::span<const Number> values) {
    number<std::uint64_t>(values.size());
    raw(values.data(), values.size_bytes());
  }
  void bytes(std::span<const std::byte> values) {
    array(std::span(reinterpret_cast<const std::uint8_t*>(values.data()), values.size()));
  }

  const std::vector<std::byte>& buffer() const noexcept { return buffer_; }
  std::vector<std::byte> take() noexcept { return std::move(buffer_); }

 private:
  void raw(const void* data, std::size_t size);

  std::vector<std::byte> buffer_;
};

/// Reads what ByteWriter wrote, from bytes that are not trusted: every length is checked against what is left
/// before anything is allocated.
class ByteReader {
 public:
  /// \param what names the bytes in messages, for example "encoder"
  ByteReader(std::span<const std::byte> bytes, std::string what) : bytes_(bytes), what_(std::move(what)) {}

  /// \throws Error (corrupt) at the end of the bytes.
  template <class Number>
  requires std::is_arithmetic_v<Number> Number number() {
    Number value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::string text();
  template <class Number>
  requires std::is_arithmetic_v<Number> std::vector<Number> array() {
    const auto count = length(sizeof(Number));
    std::vector<Number> values(count);
    const auto from = take(count * sizeof(Number));
    if (count != 0) std::memcpy(values.data(), from.data(), from.size());
    return values;
  }
  std::span<const std::byte> bytes() { return take(length(1)); }

  std::size_t left() const noexcept { return bytes_.size() - position_; }
  /// \throws Error (corrupt) when bytes are left over.
  void expect_end() const;
  /// \throws Error (corrupt) with the name of the bytes before `reason`.
  [[noreturn]] void corrupt(const std::string& reason) const;

 private:
  std::span<const std::byte> take(std::size_t count);
  std::size_t length(std::size_t element_size);

  std::span<const std::byte> bytes_;
  std::size_t position_ = 0;
  std::string what_;
};

}  // namespace medretrieval
