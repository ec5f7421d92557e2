#include <algorithm>
#include <medretrieval/index.hpp>
#include <memory>
#include <optional>

#include "base/parallel_for.hpp"

namespace medretrieval {

namespace {

constexpr std::size_t kBlock = CodeLayout::kBlockRows;
constexpr std::size_t kMostInGroup = 64;
/// Of codes or features that a group of queries shares: they stay in the first-level cache, which gives a scan three times
/// as much as the second.
constexpr std::size_t kTileBytes = 32 * 1024;

/// So few bytes of a lone query are scanned before a second thread has woken up.
constexpr std::size_t kBytesOfOneThread = 512 * 1024;

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

/// Rows of a tile, a multiple of a block.
std::size_t tile_rows(const ScanPart& part) {
  const std::size_t row_bytes =
      part.codes.rows() != 0 ? part.codes.layout().row_bytes() : part.features.row_bytes();
  const std::size_t rows = std::max<std::size_t>(1, kTileBytes / row_bytes / kBlock) * kBlock;
  if (part.rows.empty()) return rows;
  // Where few rows count, a tile spans as many as have that many among them.
  return rows * std::max<std::size_t>(1, (part.rows.back() - part.rows.front()) / part.rows.size());
}

/// Bytes that a scan of the parts reads.
std::size_t bytes_of(std::span<const ScanPart> parts) {
  std::size_t bytes = 0;
  for (const auto& part : parts) {
    const bool codes = part.codes.rows() != 0;
    const std::size_t rows =
        codes || part.rows.empty() ? part.end - part.begin : std::size_t{part.rows.size()};
    bytes += rows * (codes ? part.codes.layout().row_bytes() : part.features.row_bytes());
  }
  return bytes;
}

/// One query of a group on its way through its parts.
class Walk {
 public:
  Walk(const QueryScorer& scorer, const IndexQuery& query)
      : scan_(scorer.begin(query.query)), parts_(query.parts), pool_(query.limit) {
    enter_part();
  }

  /// The part it stands in and its next row; null at the end.
  const ScanPart* part() const { return parts_.empty() ? nullptr : &parts_.front(); }
  std::uint32_t row() const { return piece_->begin; }

  /// Scans what it has of a segment below row `end`.
  void scan_to(std::uint32_t segment, std::size_t end) {
    while (!parts_.empty() && parts_.front().segment == segment && row() < end) {
      const std::uint32_t part_end = parts_.front().end;
      piece_->end = static_cast<std::uint32_t>(std::min<std::size_t>(end, part_end));
      scan_->scan(*piece_, pool_);
      piece_->begin = piece_->end;
      if (row() < part_end) return;
      parts_ = parts_.subspan(1);
      enter_part();
    }
  }

  std::vector<Candidate> take() { return pool_.take_unordered(); }

 private:
  void enter_part() {
    if (!parts_.empty()) piece_ = parts_.front();
  }

  std::unique_ptr<QueryScan> scan_;
  std::span<const ScanPart> parts_;
  std::optional<ScanPart> piece_;  // of the first part: what is left of it, or the tile
  CandidatePool pool_;
};

/// The walk that is furthest behind; null when all are at their end.
const Walk* last_of(const std::vector<Walk>& walks) {
  const Walk* last = nullptr;
  for (const auto& walk : walks) {
    if (walk.part() == nullptr) continue;
    if (last == nullptr || walk.part()->segment < last->part()->segment ||
        (walk.part()->segment == last->part()->segment && walk.row() < last->row())) {
      last = &walk;
    }
  }
  return last;
}

class FlatSearch final : public IndexSearch {
 public:
  explicit FlatSearch(const QueryScorer& scorer) : scorer_(scorer) {}

  std::size_t group_size() const noexcept override { return kMostInGroup; }

  std::vector<Candidate> find(const IndexQuery& query, const Sharding& sharding) const override {
    const bool is_short = bytes_of(query.parts) < kBytesOfOneThread;
    const Sharding used = is_short ? sharding.for_one_thread() : sharding;
    std::size_t rows = 0;
    for (const auto& part : query.parts) rows += part.end - part.begin;
    // Shards end at multiples of a block, so that no block is scanned twice.
    const std::size_t shards = std::max<std::size_t>(1, std::min(used.shards, (rows + kBlock - 1) / kBlock));
    const std::size_t shard_rows = ((rows + shards - 1) / shards + kBlock - 1) / kBlock * kBlock;
    std::vector<CandidatePool> pools(shards, CandidatePool(query.limit));
    detail::parallel_for(shards, used.threads, [&](std::size_t shard) {
      const auto scan = scorer_.begin(query.query);
      for (const auto& part : slice(query.parts, shard * shard_rows, (shard + 1) * shard_rows)) {
        scan->scan(part, pools[shard]);
      }
    });
    for (std::size_t shard = 1; shard < shards; ++shard) pools[0].merge(std::move(pools[shard]));
    return pools[0].take_unordered();
  }

  std::vector<std::vector<Candidate>> find_group(std::span<const IndexQuery> queries) const override {
    std::vector<Walk> walks;
    walks.reserve(queries.size());
    for (const auto& query : queries) walks.emplace_back(scorer_, query);
    while (const Walk* last = last_of(walks)) {
      const ScanPart& part = *last->part();
      const std::uint32_t segment = part.segment;
      const std::size_t end = last->row() / kBlock * kBlock + tile_rows(part);
      for (auto& walk : walks) walk.scan_to(segment, end);
    }
    std::vector<std::vector<Candidate>> found;
    found.reserve(walks.size());
    for (auto& walk : walks) found.push_back(walk.take());
    return found;
  }

 private:
  const QueryScorer& scorer_;
};

}  // namespace

std::unique_ptr<IndexSearch> make_flat_search(const QueryScorer& scorer) {
  return std::make_unique<FlatSearch>(scorer);
}

}  // namespace medretrieval
