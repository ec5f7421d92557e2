// Offsets of the section container, shared by its reader and writer; described in section_file.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace medretrieval::io::section_format {

inline constexpr char kMagic[8] = {'M', 'R', 'S', 'E', 'C', 'T', 'N', 'S'};
inline constexpr std::uint32_t kVersion = 1;
inline constexpr std::size_t kHeaderBytes = 64;
inline constexpr std::size_t kEntryBytes = 64;
inline constexpr std::size_t kFooterBytes = 16;
inline constexpr std::size_t kAlignment = 64;

inline std::size_t aligned(std::size_t offset) {
  return (offset + kAlignment - 1) / kAlignment * kAlignment;
}

template <class Number>
Number load(const std::byte* from) {
  Number value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <class Number>
void store(std::byte* to, Number value) {
  std::memcpy(to, &value, sizeof value);
}

}  // namespace medretrieval::io::section_format
