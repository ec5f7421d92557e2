// What a snapshot holds, for the gallery and the searcher.
#pragma once

#include <cstdint>
#include <map>
#include <medretrieval/gallery.hpp>
#include <memory>
#include <string>
#include <vector>

#include "gallery/id_set.hpp"
#include "gallery/segment.hpp"

namespace medretrieval::detail {

/// A segment and which of its rows are still there.
struct SnapshotPart {
  std::shared_ptr<const gallery::Segment> segment;
  std::string file;
  std::vector<std::uint32_t> removed;                       ///< rows, ascending
  std::shared_ptr<const std::vector<std::uint64_t>> alive;  ///< one bit a row; null: all

  std::size_t live_rows() const noexcept { return segment->rows() - removed.size(); }
  bool is_live(std::size_t row) const noexcept {
    return alive == nullptr || ((*alive)[row / 64] >> row % 64 & 1) != 0;
  }
  /// Sets `removed` and the bits that follow from it.
  void set_removed(std::vector<std::uint32_t> rows);
};

/// Immutable once a snapshot shares it.
struct SnapshotState {
  explicit SnapshotState(Model m) : model(std::move(m)) {}

  Model model;
  std::vector<SnapshotPart> parts;
  std::map<std::string, ColumnType> attributes;
  gallery::IdSet used_and_removed;  ///< ids that will never come again
  std::optional<TunedSearch> tuned;
  ItemId next_id = 0;
  std::uint64_t generation = 0;
  Fingerprint fingerprint;
  Fingerprint previous;  ///< the fingerprint of the generation before

  std::size_t live_rows() const noexcept;
  /// Part and row of a live item.
  std::optional<std::pair<std::size_t, std::uint32_t>> find(ItemId id) const;
  std::optional<std::pair<std::size_t, std::uint32_t>> find_key(std::string_view key) const;
};

}  // namespace medretrieval::detail
