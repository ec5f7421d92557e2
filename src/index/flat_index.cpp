#include <algorithm>
#include <medretrieval/index.hpp>
#include <optional>

#include "base/parallel_for.hpp"

namespace medretrieval {

namespace {

/// The rows `first` to `last - 1` of all parts, counted through them.
std::vector<ScanPart> slice(std::span<const ScanPart> parts, std::size_t first, std::size_t last) {
  std::vector<ScanPart> chosen;
  std::size_t begin = 0;
  for (const auto& part : parts) {
    const std::size_t end = begin + (part.end - part.begin);
    if (begin < last && first < end) {
      ScanPart piece = part;
      if (last < end) piece.end = part.begin + static_cast<std::uint32_t>(last - begin);
      if (first > begin) piece.begin = part.begin + static_cast<std::uint32_t>(first - begin);
      chosen.push_back(piece);
    }
    begin = end;
  }
  return chosen;
}

class FlatIndex final : public Index {
 public:
  std::string_view name() const noexcept override { return "flat"; }

  std::vector<Candidate> find(const QueryScorer& scorer, std::size_t query, std::span<const ScanPart> parts,
                              const PoolLimit& limit, const Sharding& sharding) const override {
    std::size_t rows = 0;
    for (const auto& part : parts) rows += part.end - part.begin;
    // Shards end at multiples of a block, so that no block is scanned twice.
    constexpr std::size_t kBlock = CodeLayout::kBlockRows;
    const std::size_t shards =
        std::max<std::size_t>(1, std::min(sharding.shards, (rows + kBlock - 1) / kBlock));
    const std::size_t shard_rows = ((rows + shards - 1) / shards + kBlock - 1) / kBlock * kBlock;
    std::vector<CandidatePool> pools(shards, CandidatePool(limit));
    detail::parallel_for(shards, sharding.threads, [&](std::size_t shard) {
      const auto scan = scorer.begin(query);
      for (const auto& part : slice(parts, shard * shard_rows, (shard + 1) * shard_rows)) {
        scan->scan(part, pools[shard]);
      }
    });
    for (std::size_t shard = 1; shard < shards; ++shard) pools[0].merge(std::move(pools[shard]));
    return pools[0].take();
  }
};

}  // namespace

const Index& flat_index() noexcept {
  static const FlatIndex index;
  return index;
}

}  // namespace medretrieval
