// Sections of a segment. All numbers little-endian; docs/file_format.md describes them byte by byte.
#pragma once

#include <cstdint>

#include "base/storage_version.hpp"

namespace medretrieval::gallery {

/// Raised when a reader of the previous version could not read a new segment.
inline constexpr std::uint32_t kSegmentVersion = detail::kStorageVersion;

/// Section kinds. n rows, C classes; rows are ordered by (primary class, list, id), unlabelled ones last.
enum SectionKind : std::uint32_t {
  kMeta = 1,         // see SegmentMeta
  kIds = 2,          // u64[n]
  kIdOrder = 3,      // u32[n]: row numbers by ascending id
  kClassStarts = 4,  // u32[C + 2]: first row of each class, of the unlabelled rows, and n
  kCodes = 5,        // blocks of 64 rows, see CodeLayout
  kFeatures = 6,     // row after row, see StoredFeatures
  kOtherLabelStarts =
      7,             // u32[n + 1]: into kOtherLabels; only when a row has several labels, like the next three
  kOtherLabels = 8,  // u32[]: labels beyond the primary class
  kMemberStarts = 9,  // u32[C + 1]: into kMemberRows
  kMemberRows = 10,   // u32[]: for each class the rows that carry it as another label, ascending
  kCells = 11,  // {u32 list, u32 first row}[]: where each list of each class begins; only with inverted lists
  // Of column c:
  kTextStarts = 20,     // u64[k + 1]: into kTextBytes, for k distinct texts in ascending order
  kTextBytes = 21,      // UTF-8
  kTextCodes = 22,      // u32[n]: which text a row has
  kTextRowStarts = 23,  // u32[k + 1]: into kTextRows
  kTextRows = 24,       // u32[n]: the rows of each text, ascending
  kNumbers = 25,        // f64[n], NaN: unknown
  kDays = 26,           // i32[n]: days since 1970-01-01, -2^31: unknown
};

}  // namespace medretrieval::gallery
