// Where a gallery's files live: a folder, or nowhere for galleries in memory.
#pragma once

#include <filesystem>
#include <medretrieval/gallery.hpp>
#include <memory>
#include <string>

#include "gallery/row_source.hpp"
#include "gallery/snapshot_state.hpp"

namespace medretrieval::gallery {

/// The writer's lock on a folder; released by the destructor, and by the system when the process ends.
class FolderLock {
 public:
  FolderLock() = default;
  /// \throws Error (locked) when another writer holds it.
  explicit FolderLock(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&& other) noexcept;

 private:
  int descriptor_ = -1;
};

/// A creation that failed may have left its lock file, and a model without a manifest; nothing else may lie there.
/// \throws Error already_exists, io.
void require_new_folder(const std::filesystem::path& folder);
/// Makes and locks a folder for a new gallery.
/// \throws Error already_exists, locked, io.
FolderLock prepare_folder(const std::filesystem::path& folder);
/// Makes the folder's own entry durable.
void sync_parent(const std::filesystem::path& folder);

/// Reads the current generation of a folder. A writer may replace files meanwhile: the newest whole one is
/// returned.
std::shared_ptr<const detail::SnapshotState> read_state(const std::filesystem::path& folder);

/// Writes a segment below `folder` (empty: in memory) and opens it.
detail::SnapshotPart write_part(const std::filesystem::path& folder, const RowSource& rows,
                                const Model& model, std::uint64_t generation, const Progress& progress);

/// Writes model, removals and manifest, the manifest last, and sets the state's fingerprint. In memory
/// nothing is written, but the fingerprint is the same as on disk.
void publish(const std::filesystem::path& folder, detail::SnapshotState& state);

/// True when the manifest in the folder is the one with that fingerprint: a publish() that threw got that
/// far.
bool is_published(const std::filesystem::path& folder, const Fingerprint& fingerprint);

/// Removes the files of a gallery that `state` does not name. What cannot be removed now is tried again at the
/// next opening.
void remove_unnamed_files(const std::filesystem::path& folder, const detail::SnapshotState& state) noexcept;

}  // namespace medretrieval::gallery
