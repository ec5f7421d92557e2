// Asking for memory ahead of its use.
#pragma once

#include <cstddef>

#include "kernels/kernel_table.hpp"

namespace medretrieval::kernels {
namespace {

/// Asks for a row that will be read soon.
template <class Value>
inline void prefetch(const Value* row, std::size_t dimension) noexcept {
  constexpr std::size_t kLine = 64;
  const std::size_t size = dimension * sizeof(Value) + (sizeof(Value) == 1 ? kByteRowHead : 0);
  const auto* bytes = reinterpret_cast<const char*>(row);
  for (std::size_t at = 0; at < size; at += kLine) __builtin_prefetch(bytes + at);
  if (sizeof(Value) == 1) __builtin_prefetch(bytes + size - 1);  // rows of bytes begin anywhere in a line
}

}  // namespace
}  // namespace medretrieval::kernels
