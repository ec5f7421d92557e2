// One scan loop for every kernel: whole blocks in the middle, masked ones at the edges, survivors to the
// pool.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <medretrieval/scorer.hpp>

#include "base/concat.hpp"
#include "kernels/kernel_table.hpp"

namespace medretrieval::detail {

/// \throws Error (incompatible) unless the codes have the layout that the queries were prepared for.
inline void require_layout(const CodesView& codes, const CodeLayout& expected) {
  if (codes.layout() != expected) {
    fail(ErrorCode::incompatible, "codes: expected the layout ", expected.to_string(), ", got ",
         codes.layout().to_string());
  }
}

/// Places for survivors.
inline constexpr std::size_t kSurvivors = 512;

/// How many blocks a query scans before it looks at the threshold of its pool again: a part of those
/// behind it, so that the threshold never lags far behind.
class Pace {
 public:
  std::size_t next(std::size_t most) const noexcept { return std::min(most, std::max(kFirst, done_ / 4)); }
  void add(std::size_t blocks) noexcept { done_ += blocks; }

 private:
  static constexpr std::size_t kFirst = 4;
  std::size_t done_ = 0;
};

/// Runs `kernel(BlockSpan, threshold, Survivors&) -> blocks done` over the rows of a part.
template <class Kernel>
void scan_blocks(const ScanPart& part, CandidatePool& pool, Pace& pace, const Kernel& kernel) {
  constexpr std::size_t kBlock = kernels::kBlockRows;
  std::array<std::uint32_t, kSurvivors> rows;
  std::array<float, kSurvivors> distances;

  const auto run = [&](std::size_t first_block, std::size_t count, const std::uint64_t* masks) {
    while (count != 0) {
      const kernels::BlockSpan span = {part.codes.block(first_block), pace.next(count), masks,
                                       static_cast<std::uint32_t>(first_block * kBlock)};
      kernels::Survivors survivors = {rows.data(), distances.data(), rows.size(), 0};
      const std::size_t done = kernel(span, pool.threshold(), survivors);
      pool.offer(rows.data(), distances.data(), survivors.count);
      pace.add(done);
      pool.passed(done * kBlock);
      first_block += done;
      count -= done;
      if (masks != nullptr) masks += done;
    }
  };

  if (part.begin >= part.end) return;
  pool.enter(part);
  const auto mask_of = [&](std::size_t block) {
    return part.masks == nullptr ? ~std::uint64_t{0} : part.masks[block];
  };
  std::size_t block = part.begin / kBlock;
  const std::size_t last_block = (part.end - 1) / kBlock;
  const std::uint64_t from_begin = ~std::uint64_t{0} << part.begin % kBlock;
  const std::uint64_t to_end = ~std::uint64_t{0} >> (kBlock - 1 - (part.end - 1) % kBlock);
  if (block == last_block) {
    const std::uint64_t mask = mask_of(block) & from_begin & to_end;
    run(block, 1, &mask);
    return;
  }
  if (part.begin % kBlock != 0) {
    const std::uint64_t mask = mask_of(block) & from_begin;
    run(block, 1, &mask);
    ++block;
  }
  const std::size_t whole_end = part.end % kBlock == 0 ? last_block + 1 : last_block;
  run(block, whole_end - block, part.masks == nullptr ? nullptr : part.masks + block);
  if (whole_end == last_block) {
    const std::uint64_t mask = mask_of(last_block) & to_end;
    run(last_block, 1, &mask);
  }
}

}  // namespace medretrieval::detail
