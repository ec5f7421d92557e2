// Lookup tables as the modality LUT, VOI LUT and palette modules store them (PS3.3 C.11.1.1, C.7.6.3.1.5).
#pragma once

#include <cstdint>
#include <vector>

class DcmItem;
class DcmTagKey;

namespace medretrieval::imaging {

struct LookupTable {
  int first = 0;  ///< the value that the first entry is for
  int bits = 16;  ///< of an entry, 8 to 16
  std::vector<std::uint16_t> entries;

  /// The entry for `value`; values outside the table take its first or last entry.
  std::uint16_t at(double value) const noexcept;
  double white() const noexcept { return (1 << bits) - 1; }
};

/// \param signed_input whether the table's first value is signed
/// \throws Error (corrupt) when descriptor and data do not fit or are not there.
LookupTable read_lookup_table(DcmItem& item, const DcmTagKey& descriptor, const DcmTagKey& data,
                              bool signed_input);

}  // namespace medretrieval::imaging
