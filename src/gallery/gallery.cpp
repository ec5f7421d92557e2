#include <algorithm>
#include <medretrieval/gallery.hpp>
#include <mutex>
#include <set>
#include <unordered_set>

#include "base/concat.hpp"
#include "base/feature_storage.hpp"
#include "gallery/batch.hpp"
#include "gallery/item_check.hpp"
#include "gallery/merged_rows.hpp"
#include "gallery/store.hpp"

namespace medretrieval {

using detail::fail;
using detail::SnapshotState;
using gallery::Batch;

namespace {

/// Part and row of a committed item.
using Place = std::pair<std::size_t, std::uint32_t>;

/// What waits for the next commit.
struct Pending {
  explicit Pending(const SnapshotState& state)
      : batch(state.model), next_id(state.next_id), attributes(state.attributes) {}

  Batch batch;
  std::set<Place> removed_rows;            // of committed items
  std::unordered_set<ItemId> removed_ids;  // committed or not
  ItemId next_id;
  std::map<std::string, ColumnType> attributes;

  bool has_changes() const { return batch.rows() != 0 || !removed_ids.empty(); }
};

/// Items to be taken out, with everything that could fail already done.
struct Erasure {
  std::vector<std::size_t> waiting;  // rows of the batch, ascending
  std::set<Place> rows;
  std::unordered_set<ItemId> ids;
};

}  // namespace

struct Gallery::Impl {
  explicit Impl(std::shared_ptr<const SnapshotState> s)
      : model(s->model), state(std::move(s)), pending(*state) {}

  const Model model;
  std::mutex mutex;
  std::filesystem::path folder;
  gallery::FolderLock lock;
  std::shared_ptr<const SnapshotState> state;
  bool broken = false;  // a commit was published but not made durable
  Pending pending;

  void require_writable() const;
  bool is_taken(ItemId id) const;
  std::optional<Place> committed_key(const std::string& key) const;
  std::vector<ItemId> insert(MatrixView features, std::span<const Item> items, bool replace, int threads,
                             const Progress& progress);
  void assign_ids(std::vector<Item>& items, ItemId& next) const;
  Erasure prepare(std::vector<std::size_t> waiting, const std::vector<Place>& committed);
  void erase(Erasure erasure) noexcept;
  void adopt(std::shared_ptr<SnapshotState> next);
};

void Gallery::Impl::require_writable() const {
  if (broken)
    fail(ErrorCode::io, folder.string(), ": an earlier commit may not be durable; open the gallery again");
}

bool Gallery::Impl::is_taken(ItemId id) const {
  return pending.batch.find(id) != Batch::kNoRow || state->find(id).has_value() ||
         state->used_and_removed.contains(id) || pending.removed_ids.contains(id);
}

std::optional<Place> Gallery::Impl::committed_key(const std::string& key) const {
  const auto place = state->find_key(key);
  if (!place || pending.removed_rows.contains(*place)) return std::nullopt;
  return place;
}

/// Checks given ids and gives the others ascending ones above all that were ever used.
void Gallery::Impl::assign_ids(std::vector<Item>& items, ItemId& next) const {
  std::unordered_set<ItemId> given;
  for (std::size_t row = 0; row < items.size(); ++row) {
    if (!items[row].id) continue;
    if (!given.insert(*items[row].id).second || is_taken(*items[row].id)) {
      fail(ErrorCode::already_exists, "item ", row, ": the id ", *items[row].id, " is or was used");
    }
    next = std::max(next, *items[row].id + 1);
  }
  for (auto& item : items) {
    if (!item.id) item.id = next++;
  }
  if (next > kMaxItemId + 1) fail(ErrorCode::limit_exceeded, "the gallery has no ids left");
}

std::vector<ItemId> Gallery::Impl::insert(MatrixView features, std::span<const Item> items, bool replace,
                                          int threads, const Progress& progress) {
  require_writable();
  require_features(features, "features", model.dimension());
  const auto stored = detail::to_stored(features, model.stored_features());
  Matrix rounded;  // codes are those of the stored features
  if (model.stored_features() != FeatureType::float32) {
    rounded = detail::from_stored({model.stored_features(), stored.data(), features.rows(), features.cols()});
    features = rounded;
  }
  if (!items.empty() && items.size() != features.rows()) {
    fail(ErrorCode::invalid_argument, "expected an item for each of the ", features.rows(), " rows, got ",
         items.size());
  }
  std::vector<Item> checked(items.begin(), items.end());
  checked.resize(features.rows());
  auto all_attributes = pending.attributes;
  std::vector<std::size_t> replaced_waiting;
  std::vector<Place> replaced_committed;
  std::unordered_set<std::string_view> keys;
  for (std::size_t row = 0; row < checked.size(); ++row) {
    const Item& item = checked[row];
    gallery::check_item(item, row, model.labels(), all_attributes);
    if (item.key.empty()) {
      if (replace) fail(ErrorCode::invalid_argument, "upsert: item ", row, " has no key");
      continue;
    }
    const std::size_t waiting = pending.batch.find_key(item.key);
    const auto committed = committed_key(item.key);
    if (!keys.insert(item.key).second || (!replace && (waiting != Batch::kNoRow || committed))) {
      fail(ErrorCode::already_exists, "item ", row, ": the key '", item.key, "' is taken (upsert replaces)");
    }
    if (waiting != Batch::kNoRow) replaced_waiting.push_back(waiting);
    if (committed) replaced_committed.push_back(*committed);
  }
  ItemId next = pending.next_id;
  assign_ids(checked, next);
  std::vector<ItemId> ids;
  ids.reserve(checked.size());
  for (const auto& item : checked) ids.push_back(*item.id);
  std::optional<Codes> codes;
  std::vector<std::uint32_t> lists;
  if (model.lists() != nullptr) lists = model.lists()->assign(features, threads);
  if (model.encoder() != nullptr) codes = model.encode(features, lists, threads, progress);
  Erasure replaced = prepare(std::move(replaced_waiting), replaced_committed);

  pending.batch.append(stored, codes ? &*codes : nullptr, lists, std::move(checked));
  erase(std::move(replaced));  // from here on nothing fails
  pending.next_id = next;
  pending.attributes.swap(all_attributes);
  return ids;
}

/// Looks up what erase() needs.
Erasure Gallery::Impl::prepare(std::vector<std::size_t> waiting, const std::vector<Place>& committed) {
  Erasure erasure;
  std::sort(waiting.begin(), waiting.end());
  for (const auto row : waiting) erasure.ids.insert(pending.batch.id(row));
  for (const auto& place : committed) {
    erasure.ids.insert(state->parts[place.first].segment->id(place.second));
    erasure.rows.insert(place);
  }
  erasure.waiting = std::move(waiting);
  pending.removed_ids.reserve(pending.removed_ids.size() + erasure.ids.size());
  return erasure;
}

void Gallery::Impl::erase(Erasure erasure) noexcept {
  pending.removed_rows.merge(erasure.rows);
  pending.removed_ids.merge(erasure.ids);
  pending.batch.erase(erasure.waiting);
}

/// Publishes a state, makes it the current one and forgets what waited.
void Gallery::Impl::adopt(std::shared_ptr<SnapshotState> next) {
  next->generation = state->generation + 1;
  next->previous = state->fingerprint;
  Pending nothing(*next);
  try {
    gallery::publish(folder, *next);
  } catch (...) {
    broken = gallery::is_published(folder, next->fingerprint);
    throw;
  }
  state = std::move(next);
  pending = std::move(nothing);
  gallery::remove_unnamed_files(folder, *state);
}

Gallery::Gallery(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Gallery::~Gallery() = default;
Gallery::Gallery(Gallery&&) noexcept = default;
Gallery& Gallery::operator=(Gallery&&) noexcept = default;

Gallery::Gallery(Model model) {
  auto state = std::make_shared<SnapshotState>(std::move(model));
  gallery::publish({}, *state);
  impl_ = std::make_unique<Impl>(std::move(state));
}

Gallery Gallery::create(const std::filesystem::path& folder, Model model) {
  auto state = std::make_shared<SnapshotState>(std::move(model));
  gallery::FolderLock lock = gallery::prepare_folder(folder);
  gallery::publish(folder, *state);
  gallery::sync_parent(folder);
  auto impl = std::make_unique<Impl>(std::move(state));
  impl->folder = folder;
  impl->lock = std::move(lock);
  return Gallery(std::move(impl));
}

void Gallery::require_new(const std::filesystem::path& folder) {
  gallery::require_new_folder(folder);
}

Gallery Gallery::open(const std::filesystem::path& folder) {
  (void)Snapshot::open(folder);  // before a lock file is made in a folder that is no gallery
  gallery::FolderLock lock(folder);
  auto impl = std::make_unique<Impl>(gallery::read_state(folder));
  impl->folder = folder;
  impl->lock = std::move(lock);
  gallery::remove_unnamed_files(folder, *impl->state);
  return Gallery(std::move(impl));
}

const Model& Gallery::model() const {
  return impl_->model;
}
const std::filesystem::path& Gallery::folder() const {
  return impl_->folder;
}

std::vector<ItemId> Gallery::add(MatrixView features, std::span<const Item> items, int threads,
                                 const Progress& progress) {
  const std::lock_guard lock(impl_->mutex);
  return impl_->insert(features, items, false, threads, progress);
}

std::vector<ItemId> Gallery::upsert(MatrixView features, std::span<const Item> items, int threads,
                                    const Progress& progress) {
  const std::lock_guard lock(impl_->mutex);
  return impl_->insert(features, items, true, threads, progress);
}

void Gallery::remove(std::span<const ItemId> ids) {
  const std::lock_guard lock(impl_->mutex);
  impl_->require_writable();
  std::vector<std::size_t> waiting;
  std::vector<Place> committed;
  std::unordered_set<ItemId> seen;
  for (const auto id : ids) {
    const std::size_t row = impl_->pending.batch.find(id);
    const auto place = impl_->state->find(id);
    const bool there = row != Batch::kNoRow || (place && !impl_->pending.removed_rows.contains(*place));
    if (!there || !seen.insert(id).second) {
      fail(ErrorCode::not_found, "the gallery has no item ", id, there ? " twice" : "");
    }
    if (row != Batch::kNoRow) {
      waiting.push_back(row);
    } else {
      committed.push_back(*place);
    }
  }
  impl_->erase(impl_->prepare(std::move(waiting), committed));
}

Snapshot Gallery::commit() {
  const std::lock_guard lock(impl_->mutex);
  Impl& impl = *impl_;
  impl.require_writable();
  if (!impl.pending.has_changes()) return Snapshot(impl.state);
  auto next = std::make_shared<SnapshotState>(*impl.state);
  for (std::size_t p = 0; p < next->parts.size(); ++p) {
    auto rows = next->parts[p].removed;
    for (auto it = impl.pending.removed_rows.lower_bound({p, 0});
         it != impl.pending.removed_rows.end() && it->first == p; ++it) {
      rows.push_back(it->second);
    }
    if (rows.size() == next->parts[p].removed.size()) continue;
    std::sort(rows.begin(), rows.end());
    next->parts[p].set_removed(std::move(rows));
  }
  std::erase_if(next->parts, [](const auto& part) { return part.live_rows() == 0; });
  next->used_and_removed.insert({impl.pending.removed_ids.begin(), impl.pending.removed_ids.end()});
  if (impl.pending.batch.rows() != 0) {
    next->parts.push_back(
        gallery::write_part(impl.folder, impl.pending.batch, impl.model, impl.state->generation + 1, {}));
  }
  next->next_id = impl.pending.next_id;
  next->attributes = impl.pending.attributes;
  impl.adopt(std::move(next));
  return Snapshot(impl.state);
}

Snapshot Gallery::set_tuned_search(const std::optional<TunedSearch>& tuned) {
  const std::lock_guard lock(impl_->mutex);
  impl_->require_writable();
  if (tuned) tuned->validate();
  if (tuned && tuned->probes != 0 && impl_->model.lists() == nullptr) {
    fail(ErrorCode::invalid_argument, "tuned search: probes need a model with inverted lists");
  }
  if (impl_->pending.has_changes()) {
    fail(ErrorCode::invalid_argument, "tuned search: commit or roll back the waiting changes first");
  }
  auto next = std::make_shared<SnapshotState>(*impl_->state);
  next->tuned = tuned;
  impl_->adopt(std::move(next));
  return Snapshot(impl_->state);
}

void Gallery::rollback() {
  const std::lock_guard lock(impl_->mutex);
  impl_->pending = Pending(*impl_->state);
}

std::size_t Gallery::pending_additions() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->pending.batch.rows();
}

std::size_t Gallery::pending_removals() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->pending.removed_rows.size();
}

Snapshot Gallery::snapshot() const {
  const std::lock_guard lock(impl_->mutex);
  return Snapshot(impl_->state);
}

Snapshot Gallery::compact(const CompactOptions& options) {
  const std::lock_guard lock(impl_->mutex);
  Impl& impl = *impl_;
  impl.require_writable();
  if (impl.pending.has_changes())
    fail(ErrorCode::invalid_argument, "compact: commit or roll back the waiting changes first");
  auto next = std::make_shared<SnapshotState>(*impl.state);
  std::vector<const detail::SnapshotPart*> chosen;
  bool drops_rows = false;
  for (const auto& part : impl.state->parts) {
    if (part.removed.empty() && part.live_rows() >= options.merge_below) continue;
    chosen.push_back(&part);
    drops_rows = drops_rows || !part.removed.empty();
  }
  if (chosen.empty() || (chosen.size() == 1 && !drops_rows)) return Snapshot(impl.state);
  std::erase_if(next->parts, [&](const auto& part) {
    return part.live_rows() < options.merge_below || !part.removed.empty();
  });
  const gallery::MergedRows rows(chosen);
  next->parts.push_back(
      gallery::write_part(impl.folder, rows, impl.model, impl.state->generation + 1, options.progress));
  impl.adopt(std::move(next));
  return Snapshot(impl.state);
}

}  // namespace medretrieval
