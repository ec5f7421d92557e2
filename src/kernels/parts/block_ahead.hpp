// Codes asked for a whole block at a time, by scans that read a block once; those that read it a subspace at a time use
// prefetch() of scan.hpp beside each load.
#pragma once

#include "kernels/parts/scan.hpp"

namespace medretrieval::kernels {
namespace {

/// Asks for the block that a long scan comes to a while after the one at hand; does nothing in short spans.
class BlockAhead {
 public:
  BlockAhead(const BlockSpan& span, std::size_t block_bytes) noexcept
      : bytes_(span.count * block_bytes > kLongSpanBytes ? block_bytes : 0),
        distance_(prefetch_distance(block_bytes)) {}
  void ask(const std::uint8_t* codes) const noexcept {
    for (std::size_t i = 0; i < bytes_; i += 64) __builtin_prefetch(codes + distance_ + i);
  }

 private:
  std::size_t bytes_;
  std::size_t distance_;
};

}  // namespace
}  // namespace medretrieval::kernels
