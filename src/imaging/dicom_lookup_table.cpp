#include "imaging/dicom_lookup_table.hpp"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <algorithm>
#include <array>
#include <medretrieval/error.hpp>

#include "base/concat.hpp"

namespace medretrieval::imaging {

using detail::fail;

namespace {

// The descriptor is written as US or SS, whatever its first value is.
std::array<Uint16, 3> read_descriptor(DcmItem& item, const DcmTagKey& tag) {
  std::array<Uint16, 3> values = {};
  for (unsigned long i = 0; i < 3; ++i) {
    Sint16 signed_value = 0;
    if (item.findAndGetUint16(tag, values[i], i).good()) continue;
    if (item.findAndGetSint16(tag, signed_value, i).bad()) {
      fail(ErrorCode::corrupt, "a lookup table without three numbers in ", DcmTag(tag).getTagName());
    }
    values[i] = static_cast<Uint16>(signed_value);
  }
  return values;
}

}  // namespace

std::uint16_t LookupTable::at(double value) const noexcept {
  const double last = static_cast<double>(entries.size() - 1);
  const double index = value - first;
  return entries[static_cast<std::size_t>(index > 0 ? std::min(index, last) : 0)];
}

LookupTable read_lookup_table(DcmItem& item, const DcmTagKey& descriptor, const DcmTagKey& data,
                              bool signed_input) {
  const auto [length, first, bits] = read_descriptor(item, descriptor);
  const std::size_t entries = length == 0 ? 65536 : length;
  const Uint16* words = nullptr;
  unsigned long count = 0;
  if (item.findAndGetUint16Array(data, words, &count).bad() || words == nullptr) {
    fail(ErrorCode::corrupt, "a lookup table without ", DcmTag(data).getTagName());
  }
  const bool packed = bits == 8 && count < entries && count == (entries + 1) / 2;  // two entries a word
  if (bits < 8 || bits > 16 || (count < entries && !packed)) {
    fail(ErrorCode::corrupt, "a lookup table of ", entries, " entries of ", bits, " bits in ", count,
         " words");
  }
  LookupTable table{signed_input ? static_cast<Sint16>(first) : int{first}, bits, {}};
  table.entries.resize(entries);
  for (std::size_t i = 0; i < entries; ++i) {
    const unsigned entry = packed ? words[i / 2] >> (i % 2 * 8) & 0xFF : words[i];
    table.entries[i] = static_cast<std::uint16_t>(std::min(entry, (1U << bits) - 1));
  }
  return table;
}

}  // namespace medretrieval::imaging
