#include <algorithm>
#include <medretrieval/gallery.hpp>

#include "base/concat.hpp"
#include "base/progress_counter.hpp"
#include "gallery/snapshot_state.hpp"
#include "gallery/store.hpp"

namespace medretrieval {

namespace {

std::pair<std::size_t, std::uint32_t> place_of(const detail::SnapshotState& state, ItemId id) {
  const auto place = state.find(id);
  if (!place) detail::fail(ErrorCode::not_found, "the gallery has no item ", id);
  return *place;
}

}  // namespace

void TunedSearch::validate() const {
  constexpr std::size_t kMost = 1'000'000;
  if (!(recall >= 0 && recall <= 1) || k == 0 || pool_factor == 0 || pool_factor > kMost ||
      probes > CoarseQuantizer::kMaxLists) {
    detail::fail(ErrorCode::invalid_argument,
                 "tuned search: expected a recall of 0 to 1, k of at least 1, up to ",
                 CoarseQuantizer::kMaxLists, " probes and a pool factor of 1 to ", kMost, ", got ", recall,
                 ", ", k, ", ", probes, ", ", pool_factor);
  }
}

Snapshot Snapshot::open(const std::filesystem::path& folder) {
  return Snapshot(gallery::read_state(folder));
}

const Model& Snapshot::model() const noexcept {
  return state_->model;
}
std::size_t Snapshot::size() const noexcept {
  return state_->live_rows();
}
std::uint64_t Snapshot::generation() const noexcept {
  return state_->generation;
}
const Fingerprint& Snapshot::fingerprint() const noexcept {
  return state_->fingerprint;
}

std::vector<SegmentInfo> Snapshot::segments() const {
  std::vector<SegmentInfo> infos;
  for (const auto& part : state_->parts) {
    const auto& file = part.segment->file();
    infos.push_back(
        {part.file, part.segment->rows(), part.removed.size(), file.size_bytes(), file.checksum()});
  }
  return infos;
}

std::map<std::string, ColumnType> Snapshot::attributes() const {
  return state_->attributes;
}

const std::optional<TunedSearch>& Snapshot::tuned_search() const noexcept {
  return state_->tuned;
}

bool Snapshot::contains(ItemId id) const {
  return state_->find(id).has_value();
}

Item Snapshot::item(ItemId id) const {
  const auto [part, row] = place_of(*state_, id);
  return state_->parts[part].segment->item(row, state_->model.labels());
}

std::optional<ItemId> Snapshot::find_key(std::string_view key) const {
  const auto place = state_->find_key(key);
  if (!place) return std::nullopt;
  return state_->parts[place->first].segment->id(place->second);
}

std::vector<float> Snapshot::features(ItemId id) const {
  const auto [part, row] = place_of(*state_, id);
  const auto& segment = *state_->parts[part].segment;
  segment.ensure_features(row, row + 1);
  std::vector<float> features(state_->model.dimension());
  segment.features().copy_row(row, features);
  return features;
}

std::vector<ItemId> Snapshot::ids() const {
  std::vector<ItemId> ids;
  for (const auto& part : state_->parts) {
    const auto all = part.segment->ids();
    for (std::size_t row = 0; row < all.size(); ++row) {
      if (part.is_live(row)) ids.push_back(all[row]);
    }
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

void Snapshot::verify(const Progress& progress) const {
  detail::ProgressCounter counter(progress, "verify", state_->parts.size());
  for (const auto& part : state_->parts) {
    part.segment->verify();
    counter.add(1);
  }
  const auto all = ids();
  if (std::adjacent_find(all.begin(), all.end()) != all.end()) {
    detail::fail(ErrorCode::corrupt, "two segments hold the same item");
  }
  if (!all.empty() && all.back() >= state_->next_id) {
    detail::fail(ErrorCode::corrupt, "item ", all.back(), " is not below the next id ", state_->next_id);
  }
  for (const auto id : all) {
    if (state_->used_and_removed.contains(id)) {
      detail::fail(ErrorCode::corrupt, "item ", id, " is there and removed");
    }
  }
}

}  // namespace medretrieval
