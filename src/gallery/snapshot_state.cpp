#include "gallery/snapshot_state.hpp"

namespace medretrieval::detail {

void SnapshotPart::set_removed(std::vector<std::uint32_t> rows) {
  removed = std::move(rows);
  alive = nullptr;
  if (removed.empty()) return;
  auto bits = std::make_shared<std::vector<std::uint64_t>>(CodeLayout::blocks_for(segment->rows()),
                                                           ~std::uint64_t{0});
  for (const auto row : removed) (*bits)[row / 64] &= ~(std::uint64_t{1} << row % 64);
  alive = std::move(bits);
}

std::size_t SnapshotState::live_rows() const noexcept {
  std::size_t rows = 0;
  for (const auto& part : parts) rows += part.live_rows();
  return rows;
}

std::optional<std::pair<std::size_t, std::uint32_t>> SnapshotState::find(ItemId id) const {
  for (std::size_t p = 0; p < parts.size(); ++p) {
    const auto row = parts[p].segment->find(id);
    if (row && parts[p].is_live(*row)) return std::pair(p, *row);
  }
  return std::nullopt;
}

std::optional<std::pair<std::size_t, std::uint32_t>> SnapshotState::find_key(std::string_view key) const {
  if (key.empty()) return std::nullopt;
  for (std::size_t p = 0; p < parts.size(); ++p) {
    const auto* keys = parts[p].segment->text("key");
    if (keys == nullptr) continue;
    const auto entry = keys->find(key);
    if (!entry) continue;
    for (const auto row : keys->rows_of(*entry)) {
      if (row >= parts[p].segment->rows())
        parts[p].segment->file().corrupt("a key names a row that is not there");
      if (parts[p].is_live(row)) return std::pair(p, row);
    }
  }
  return std::nullopt;
}

}  // namespace medretrieval::detail
