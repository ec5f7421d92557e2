// DICOM files written element by element, by other code than the library's, so that they can also be wrong.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "support/make_images.hpp"

namespace medretrieval::testing {

/// A data set in Explicit VR Little Endian, elements in the order of the calls.
class DicomBytes {
 public:
  DicomBytes& text(std::uint32_t tag, const std::string& vr, std::string value) {
    if (value.size() % 2 != 0) value += vr == "UI" ? '\0' : ' ';
    return element(tag, vr, {value.begin(), value.end()});
  }
  DicomBytes& us(std::uint32_t tag, std::vector<std::uint16_t> values, const std::string& vr = "US") {
    return element(tag, vr, words(values));
  }
  DicomBytes& element(std::uint32_t tag, const std::string& vr, const ByteVector& value) {
    header(tag, vr, static_cast<std::uint32_t>(value.size()));
    bytes_.insert(bytes_.end(), value.begin(), value.end());
    return *this;
  }
  /// A sequence of one item.
  DicomBytes& sequence(std::uint32_t tag, const DicomBytes& item) {
    ByteVector value;
    append_item(value, item.bytes_);
    return element(tag, "SQ", value);
  }
  /// Encapsulated pixel data with an empty offset table.
  DicomBytes& fragments(const std::vector<ByteVector>& fragments, const ByteVector& offset_table = {}) {
    header(0x7FE00010, "OB", 0xFFFFFFFF);
    append_item(bytes_, offset_table);
    for (const ByteVector& fragment : fragments) append_item(bytes_, fragment);
    append_tag(bytes_, 0xFFFEE0DD);
    append_little_endian(bytes_, 0, 4);
    return *this;
  }

  const ByteVector& bytes() const { return bytes_; }

  /// With preamble and meta information.
  ByteVector file(const std::string& transfer_syntax) const {
    DicomBytes meta;
    meta.text(0x00020002, "UI", "1.2.840.10008.5.1.4.1.1.7").text(0x00020003, "UI", "1.2.3");
    meta.text(0x00020010, "UI", transfer_syntax);
    DicomBytes length;
    length.element(0x00020000, "UL", four_bytes(meta.bytes_.size()));
    ByteVector whole;
    whole.resize(128);
    for (const char c : {'D', 'I', 'C', 'M'}) whole.push_back(static_cast<std::uint8_t>(c));
    for (const DicomBytes* part : std::initializer_list<const DicomBytes*>{&length, &meta, this}) {
      whole.insert(whole.end(), part->bytes_.begin(), part->bytes_.end());
    }
    return whole;
  }

  static ByteVector words(const std::vector<std::uint16_t>& values) {
    ByteVector bytes;
    for (const std::uint16_t value : values) append_little_endian(bytes, value, 2);
    return bytes;
  }
  static ByteVector four_bytes(std::size_t value) {
    ByteVector bytes;
    append_little_endian(bytes, value, 4);
    return bytes;
  }

 private:
  static void append_little_endian(ByteVector& bytes, std::size_t value, int size) {
    for (int i = 0; i < size; ++i) bytes.push_back(static_cast<std::uint8_t>(value >> 8 * i));
  }
  static void append_tag(ByteVector& bytes, std::uint32_t tag) {
    append_little_endian(bytes, tag >> 16, 2);
    append_little_endian(bytes, tag & 0xFFFF, 2);
  }
  static void append_item(ByteVector& bytes, ByteVector value) {
    if (value.size() % 2 != 0) value.push_back(0);
    append_tag(bytes, 0xFFFEE000);
    append_little_endian(bytes, value.size(), 4);
    bytes.insert(bytes.end(), value.begin(), value.end());
  }
  void header(std::uint32_t tag, const std::string& vr, std::uint32_t length) {
    append_tag(bytes_, tag);
    bytes_.insert(bytes_.end(), vr.begin(), vr.end());
    const bool is_long = vr == "OB" || vr == "OW" || vr == "SQ" || vr == "UN" || vr == "UT";
    if (is_long) append_little_endian(bytes_, 0, 2);
    append_little_endian(bytes_, length, is_long ? 4 : 2);
  }

  ByteVector bytes_;
};

inline constexpr const char* kExplicitLittleEndian = "1.2.840.10008.1.2.1";

/// The attributes of an image, to be changed by a test before they are written.
struct DicomImageParts {
  std::uint16_t rows = 2;
  std::uint16_t columns = 2;
  std::uint16_t samples = 1;
  std::uint16_t bits_allocated = 16;
  std::uint16_t bits_stored = 16;
  std::uint16_t high_bit = 15;
  std::uint16_t is_signed = 0;
  std::string photometric = "MONOCHROME2";
  std::string modality = "OT";
  std::string frames;  ///< empty: not written

  /// Up to the group 0028, without pixel data.
  DicomBytes data_set() const {
    DicomBytes set;
    set.text(0x00080060, "CS", modality).us(0x00280002, {samples}).text(0x00280004, "CS", photometric);
    if (!frames.empty()) set.text(0x00280008, "IS", frames);
    set.us(0x00280010, {rows}).us(0x00280011, {columns}).us(0x00280100, {bits_allocated});
    set.us(0x00280101, {bits_stored}).us(0x00280102, {high_bit}).us(0x00280103, {is_signed});
    return set;
  }
};

}  // namespace medretrieval::testing
