#include "imaging/dicom_fragments.hpp"

#include <algorithm>
#include <medretrieval/error.hpp>
#include <numeric>

#include "base/concat.hpp"

namespace medretrieval::imaging {

using detail::fail;

namespace {

constexpr std::size_t kItemHeader = 8;  // tag and length, in front of each fragment

// Counts from the index of the first fragment of each frame.
std::vector<std::size_t> counts_between(std::vector<std::size_t> starts, std::size_t fragments) {
  starts.push_back(fragments);
  std::adjacent_difference(starts.begin(), starts.end(), starts.begin());
  starts.erase(starts.begin());
  return starts;
}

std::vector<std::size_t> starts_in_table(std::span<const Bytes> fragments, Bytes table) {
  std::vector<std::size_t> starts;
  std::size_t offset = 0;
  std::size_t index = 0;
  for (std::size_t entry = 0; entry + 4 <= table.size(); entry += 4) {
    const std::size_t wanted = table[entry] | std::size_t{table[entry + 1]} << 8 |
                               std::size_t{table[entry + 2]} << 16 | std::size_t{table[entry + 3]} << 24;
    while (offset < wanted && index < fragments.size()) offset += kItemHeader + fragments[index++].size();
    if (offset != wanted || index == fragments.size() || (index == 0) != (entry == 0)) {
      fail(ErrorCode::corrupt, "the offset table points to byte ", wanted, ", where no fragment begins");
    }
    starts.push_back(index);
  }
  return starts;
}

bool begins_stream(Bytes fragment) {
  if (fragment.size() < 4 || fragment[0] != 0xFF) return false;
  const bool jpeg = fragment[1] == 0xD8 && fragment[2] == 0xFF;
  const bool jpeg_2000 = fragment[1] == 0x4F && fragment[2] == 0xFF && fragment[3] == 0x51;
  return jpeg || jpeg_2000;
}

std::vector<std::size_t> starts_by_marker(std::span<const Bytes> fragments) {
  std::vector<std::size_t> starts;
  for (std::size_t i = 0; i < fragments.size(); ++i) {
    if (begins_stream(fragments[i])) starts.push_back(i);
  }
  return starts;
}

}  // namespace

std::vector<std::size_t> fragments_per_frame(std::span<const Bytes> fragments, Bytes offset_table,
                                             std::size_t frames) {
  if (frames == fragments.size()) return std::vector<std::size_t>(frames, 1);
  if (frames == 1 && !fragments.empty()) {
    if (const std::size_t streams = starts_by_marker(fragments).size(); streams > 1) {
      fail(ErrorCode::corrupt, "pixel data of ", streams, " frames where 1 is stated");
    }
    return {fragments.size()};
  }
  const std::vector<std::size_t> starts =
      offset_table.empty() ? starts_by_marker(fragments) : starts_in_table(fragments, offset_table);
  if (starts.size() != frames || starts.empty() || starts.front() != 0) {
    fail(ErrorCode::corrupt, "pixel data of ", fragments.size(), " fragments does not divide into ", frames,
         " frames");
  }
  return counts_between(starts, fragments.size());
}

}  // namespace medretrieval::imaging
