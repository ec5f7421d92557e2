#include <algorithm>
#include <medretrieval/gallery.hpp>
#include <mutex>
#include <set>
#include <unordered_set>

#include "base/concat.hpp"
#include "gallery/batch.hpp"
#include "gallery/item_check.hpp"
#include "gallery/merged_rows.hpp"
#include "gallery/store.hpp"

namespace medretrieval {

using detail::fail;
using detail::SnapshotState;
using gallery::Batch;

struct Gallery::Impl {
  explicit Impl(std::shared_ptr<const SnapshotState> s) : state(std::move(s)), batch(state->model) {
    forget();
  }

  std::mutex mutex;
  std::filesystem::path folder;
  gallery::FolderLock lock;
  std::shared_ptr<const SnapshotState> state;
  bool broken = false;  // a commit was published but not made durable

  // What waits for the next commit.
  Batch batch;
  std::set<std::pair<std::size_t, std::uint32_t>> removed_rows;  // part and row of committed items
  std::unordered_set<ItemId> removed_ids;                        // committed or not
  ItemId next_id = 0;
  std::map<std::string, ColumnType> attributes;

  void forget();
  bool has_changes() const { return batch.rows() != 0 || !removed_ids.empty(); }
  void require_writable() const;
  bool is_taken(ItemId id) const;
  std::optional<std::pair<std::size_t, std::uint32_t>> committed_key(const std::string& key) const;
  std::vector<ItemId> insert(MatrixView features, std::span<const Item> items, bool replace, int threads,
                             const Progress& progress);
  void assign_ids(std::vector<Item>& items, ItemId& next) const;
  void erase_rows(const std::vector<std::size_t>& batch_rows,
                  const std::vector<std::pair<std::size_t, std::uint32_t>>& committed);
  void adopt(std::shared_ptr<SnapshotState> next);
};

void Gallery::Impl::forget() {
  batch = Batch(state->model);
  removed_rows.clear();
  removed_ids.clear();
  next_id = state->next_id;
  attributes = state->attributes;
}

void Gallery::Impl::require_writable() const {
  if (broken)
    fail(ErrorCode::io, folder.string(), ": an earlier commit may not be durable; open the gallery again");
}

bool Gallery::Impl::is_taken(ItemId id) const {
  return batch.find(id) != Batch::kNoRow || state->find(id).has_value() ||
         state->used_and_removed.contains(id) || removed_ids.contains(id);
}

std::optional<std::pair<std::size_t, std::uint32_t>> Gallery::Impl::committed_key(
    const std::string& key) const {
  const auto place = state->find_key(key);
  if (!place || removed_rows.contains(*place)) return std::nullopt;
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
  const Model& model = state->model;
  require_features(features, "features", model.dimension());
  if (!items.empty() && items.size() != features.rows()) {
    fail(ErrorCode::invalid_argument, "expected an item for each of the ", features.rows(), " rows, got ",
         items.size());
  }
  std::vector<Item> checked(items.begin(), items.end());
  checked.resize(features.rows());
  auto all_attributes = attributes;
  std::vector<std::size_t> replaced_waiting;
  std::vector<std::pair<std::size_t, std::uint32_t>> replaced_committed;
  std::unordered_set<std::string_view> keys;
  for (std::size_t row = 0; row < checked.size(); ++row) {
    const Item& item = checked[row];
    gallery::check_item(item, row, model.labels(), all_attributes);
    if (item.key.empty()) {
      if (replace) fail(ErrorCode::invalid_argument, "upsert: item ", row, " has no key");
      continue;
    }
    const std::size_t waiting = batch.find_key(item.key);
    const auto committed = committed_key(item.key);
    if (!keys.insert(item.key).second || (!replace && (waiting != Batch::kNoRow || committed))) {
      fail(ErrorCode::already_exists, "item ", row, ": the key '", item.key, "' is taken");
    }
    if (waiting != Batch::kNoRow) replaced_waiting.push_back(waiting);
    if (committed) replaced_committed.push_back(*committed);
  }
  ItemId next = next_id;
  assign_ids(checked, next);
  std::vector<ItemId> ids;
  ids.reserve(checked.size());
  for (const auto& item : checked) ids.push_back(*item.id);
  std::optional<Codes> codes;
  if (model.encoder() != nullptr) codes = model.encoder()->encode(features, threads, progress);

  // From here on nothing but memory can fail, and append() undoes itself.
  batch.append(features, codes ? &*codes : nullptr, std::move(checked));
  erase_rows(replaced_waiting, replaced_committed);
  next_id = next;
  attributes = std::move(all_attributes);
  return ids;
}

void Gallery::Impl::erase_rows(const std::vector<std::size_t>& batch_rows,
                               const std::vector<std::pair<std::size_t, std::uint32_t>>& committed) {
  for (const auto row : batch_rows) removed_ids.insert(batch.id(row));
  for (const auto& place : committed) {
    removed_ids.insert(state->parts[place.first].segment->id(place.second));
    removed_rows.insert(place);
  }
  if (!batch_rows.empty()) batch.erase(batch_rows);
}

/// Publishes a state and makes it the current one.
void Gallery::Impl::adopt(std::shared_ptr<SnapshotState> next) {
  next->generation = state->generation + 1;
  next->previous = state->fingerprint;
  try {
    gallery::publish(folder, *next);
  } catch (...) {
    broken = gallery::is_published(folder, next->fingerprint);
    throw;
  }
  state = std::move(next);
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
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) fail(ErrorCode::io, folder.string(), ": cannot create the folder: ", error.message());
  if (!std::filesystem::is_empty(folder, error) || error) {
    fail(ErrorCode::already_exists, folder.string(), ": expected an empty folder for a new gallery");
  }
  gallery::FolderLock lock(folder);
  auto state = std::make_shared<SnapshotState>(std::move(model));
  gallery::publish(folder, *state);
  auto impl = std::make_unique<Impl>(std::move(state));
  impl->folder = folder;
  impl->lock = std::move(lock);
  return Gallery(std::move(impl));
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
  return impl_->state->model;
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
  std::vector<std::pair<std::size_t, std::uint32_t>> committed;
  std::unordered_set<ItemId> seen;
  for (const auto id : ids) {
    const std::size_t row = impl_->batch.find(id);
    const auto place = impl_->state->find(id);
    const bool there = row != Batch::kNoRow || (place && !impl_->removed_rows.contains(*place));
    if (!there || !seen.insert(id).second) {
      fail(ErrorCode::not_found, "the gallery has no item ", id, there ? " twice" : "");
    }
    if (row != Batch::kNoRow) {
      waiting.push_back(row);
    } else {
      committed.push_back(*place);
    }
  }
  impl_->erase_rows(waiting, committed);
}

Snapshot Gallery::commit() {
  const std::lock_guard lock(impl_->mutex);
  Impl& impl = *impl_;
  impl.require_writable();
  if (!impl.has_changes()) return Snapshot(impl.state);
  auto next = std::make_shared<SnapshotState>(*impl.state);
  for (std::size_t p = 0; p < next->parts.size(); ++p) {
    auto rows = next->parts[p].removed;
    for (auto it = impl.removed_rows.lower_bound({p, 0}); it != impl.removed_rows.end() && it->first == p;
         ++it) {
      rows.push_back(it->second);
    }
    if (rows.size() == next->parts[p].removed.size()) continue;
    std::sort(rows.begin(), rows.end());
    next->parts[p].set_removed(std::move(rows));
  }
  std::erase_if(next->parts, [](const auto& part) { return part.live_rows() == 0; });
  next->used_and_removed.insert({impl.removed_ids.begin(), impl.removed_ids.end()});
  if (impl.batch.rows() != 0) {
    next->parts.push_back(
        gallery::write_part(impl.folder, impl.batch, impl.state->model, impl.state->generation + 1, {}));
  }
  next->next_id = impl.next_id;
  next->attributes = impl.attributes;
  impl.adopt(std::move(next));
  impl.forget();
  return Snapshot(impl.state);
}

void Gallery::rollback() {
  const std::lock_guard lock(impl_->mutex);
  impl_->forget();
}

std::size_t Gallery::pending_additions() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->batch.rows();
}

std::size_t Gallery::pending_removals() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->removed_rows.size();
}

Snapshot Gallery::snapshot() const {
  const std::lock_guard lock(impl_->mutex);
  return Snapshot(impl_->state);
}

Snapshot Gallery::compact(const CompactOptions& options) {
  const std::lock_guard lock(impl_->mutex);
  Impl& impl = *impl_;
  impl.require_writable();
  if (impl.has_changes())
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
  next->parts.push_back(gallery::write_part(impl.folder, rows, impl.state->model, impl.state->generation + 1,
                                            options.progress));
  impl.adopt(std::move(next));
  return Snapshot(impl.state);
}

}  // namespace medretrieval
