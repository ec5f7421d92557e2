// Asking for memory ahead of its use.
#pragma once

#include <cstddef>

namespace medretrieval::kernels {
namespace {

/// Asks for a row that will be read soon.
template <class Value>
inline void prefetch(const Value* row, std::size_t dimension) noexcept {
  constexpr std::size_t kLine = 64;
  const auto* bytes = reinterpret_cast<const char*>(row);
  for (std::size_t at = 0; at < dimension * sizeof(Value); at += kLine) __builtin_prefetch(bytes + at);
}

}  // namespace
}  // namespace medretrieval::kernels
