// Memory for codes, and a scan run to its end.
#pragma once

#include <gtest/gtest.h>

#include <medretrieval/matrix.hpp>
#include <vector>

#include "kernels/kernel_table.hpp"

namespace medretrieval::kernels {

/// 64-byte aligned storage.
class Aligned {
 public:
  explicit Aligned(std::size_t bytes) : memory_(1, bytes / sizeof(float) + 16) {}
  std::uint8_t* bytes() { return reinterpret_cast<std::uint8_t*>(memory_.data()); }

 private:
  Matrix memory_;
};

struct Kept {
  std::vector<std::uint32_t> rows;
  std::vector<float> distances;
  bool operator==(const Kept&) const = default;
};

/// Runs a scan to the end with a small buffer, as the scan loop does.
template <class Scan>
Kept run(BlockSpan span, std::size_t block_bytes, std::size_t capacity, const Scan& scan) {
  Kept kept;
  std::vector<std::uint32_t> rows(capacity);
  std::vector<float> distances(capacity);
  while (span.count != 0) {
    Survivors out = {rows.data(), distances.data(), capacity, 0};
    const std::size_t done = scan(span, out);
    EXPECT_GT(done, 0U);
    kept.rows.insert(kept.rows.end(), rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(out.count));
    kept.distances.insert(kept.distances.end(), distances.begin(),
                          distances.begin() + static_cast<std::ptrdiff_t>(out.count));
    span.blocks += done * block_bytes;
    span.count -= done;
    span.first_row += static_cast<std::uint32_t>(done * kBlockRows);
    if (span.masks != nullptr) span.masks += done;
  }
  return kept;
}

}  // namespace medretrieval::kernels
