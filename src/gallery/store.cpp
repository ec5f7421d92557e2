#include "gallery/store.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <set>
#include <utility>

#include "base/concat.hpp"
#include "gallery/manifest.hpp"
#include "gallery/removals.hpp"
#include "gallery/segment_writer.hpp"
#include "io/files.hpp"

namespace medretrieval::gallery {

using detail::SnapshotPart;
using detail::SnapshotState;

namespace {

constexpr const char* kManifestFile = "manifest.json";
constexpr const char* kManifestTemporary = "manifest.json.tmp";
constexpr const char* kLockFile = "lock";
constexpr std::size_t kMaxManifestBytes = std::size_t{64} << 20;
constexpr std::size_t kMaxModelBytes = std::size_t{16} << 30;

std::string numbered(const char* stem, std::uint64_t generation, const char* suffix) {
  std::array<char, 64> buffer;
  std::snprintf(buffer.data(), buffer.size(), "%s-%08llu%s", stem,
                static_cast<unsigned long long>(generation), suffix);
  return buffer.data();
}

std::string model_file(const Model& model) {
  return "model-" + model.fingerprint().to_string() + ".mrmodel";
}

bool is_model_file(const std::string& name) {
  return name.starts_with("model-") && name.find(".mrmodel") != std::string::npos;
}

/// Files that a gallery writes, and so may remove.
bool is_gallery_file(const std::string& name) {
  return (name.starts_with("segment-") && name.find(".mrseg") != std::string::npos) ||
         (name.starts_with("removals-") && name.find(".mrrem") != std::string::npos) || is_model_file(name) ||
         name == kManifestTemporary;
}

Manifest manifest_of(const SnapshotState& state) {
  Manifest manifest;
  manifest.generation = state.generation;
  manifest.previous = state.previous;
  manifest.model_file = model_file(state.model);
  manifest.model = state.model.fingerprint();
  if (state.model.encoder() != nullptr) manifest.encoder = state.model.encoder()->fingerprint();
  manifest.next_id = state.next_id;
  manifest.attributes = state.attributes;
  manifest.tuned = state.tuned;
  for (const auto& part : state.parts) {
    manifest.segments.push_back({part.file, part.segment->rows(), part.segment->file().checksum()});
  }
  return manifest;
}

Removals removals_of(const SnapshotState& state) {
  Removals removals;
  removals.ids = state.used_and_removed;
  for (const auto& part : state.parts) removals.rows.push_back(part.removed);
  return removals;
}

Model read_model(const std::filesystem::path& file, const Manifest& manifest) {
  const auto bytes = io::read_file(file, kMaxModelBytes);
  const auto found = Fingerprint::of(bytes);
  if (found != manifest.model) {
    detail::fail(ErrorCode::corrupt, file.string(), ": expected a model with the fingerprint ",
                 manifest.model.to_string(), ", got ", found.to_string());
  }
  Model model = Model::from_bytes(bytes);
  const Fingerprint encoder = model.encoder() != nullptr ? model.encoder()->fingerprint() : Fingerprint();
  if (encoder != manifest.encoder) {
    detail::fail(ErrorCode::incompatible, file.string(), ": expected an encoder with the fingerprint ",
                 manifest.encoder.to_string(), ", got ", encoder.to_string());
  }
  return model;
}

SnapshotPart read_part(const std::filesystem::path& folder, const ManifestSegment& named,
                       const Model& model) {
  auto file = io::SectionFile::map(folder / named.file);
  if (file->checksum() != named.checksum) {
    file->corrupt("the manifest names the checksum " + named.checksum.to_string() + ", the file has " +
                  file->checksum().to_string());
  }
  SnapshotPart part;
  part.segment = Segment::open(std::move(file), model);
  part.file = named.file;
  if (part.segment->rows() != named.rows) {
    part.segment->file().corrupt(
        detail::concat("the manifest names ", named.rows, " rows, the file has ", part.segment->rows()));
  }
  return part;
}

/// New ids begin at next_id, so nothing at or above it may have been used.
void require_unused_next_id(const SnapshotState& state) {
  std::optional<ItemId> largest;
  for (const auto& part : state.parts) largest = std::max(largest, part.segment->largest_id());
  if (const auto& ranges = state.used_and_removed.ranges(); !ranges.empty()) {
    largest = std::max(largest, std::optional(ranges.back().second));
  }
  if (largest && *largest >= state.next_id) {
    detail::fail(ErrorCode::corrupt, kManifestFile, ": next_id is ", state.next_id, ", but the id ", *largest,
                 " is or was used");
  }
}

std::shared_ptr<SnapshotState> read_named(const std::filesystem::path& folder, const Manifest& manifest) {
  auto state = std::make_shared<SnapshotState>(read_model(folder / manifest.model_file, manifest));
  state->generation = manifest.generation;
  state->previous = manifest.previous;
  state->next_id = manifest.next_id;
  state->attributes = manifest.attributes;
  state->tuned = manifest.tuned;
  if (state->tuned && state->tuned->probes != 0 && state->model.lists() == nullptr) {
    detail::fail(ErrorCode::corrupt, kManifestFile,
                 ": the search was tuned to inverted lists, and the model has none");
  }
  std::vector<std::uint64_t> segment_rows;
  for (const auto& named : manifest.segments) {
    state->parts.push_back(read_part(folder, named, state->model));
    segment_rows.push_back(named.rows);
  }
  if (!manifest.removals_file.empty()) {
    const auto file = folder / manifest.removals_file;
    const auto bytes = io::read_file(file);
    if (Fingerprint::of(bytes) != manifest.removals) {
      detail::fail(ErrorCode::corrupt, file.string(), ": expected the checksum ",
                   manifest.removals.to_string());
    }
    auto removals = Removals::from_bytes(bytes, file.string(), segment_rows);
    state->used_and_removed = std::move(removals.ids);
    for (std::size_t p = 0; p < state->parts.size(); ++p)
      state->parts[p].set_removed(std::move(removals.rows[p]));
  }
  require_unused_next_id(*state);
  return state;
}

}  // namespace

FolderLock::FolderLock(const std::filesystem::path& folder) {
  const auto file = folder / kLockFile;
  descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0) io::fail_with_errno(file, "open");
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
  const bool held = errno == EWOULDBLOCK;
  ::close(std::exchange(descriptor_, -1));
  if (!held) io::fail_with_errno(file, "lock");
  detail::fail(ErrorCode::locked, folder.string(), ": another writer has this gallery open");
}

FolderLock::~FolderLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

FolderLock::FolderLock(FolderLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FolderLock& FolderLock::operator=(FolderLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

void require_new_folder(const std::filesystem::path& folder) {
  std::error_code error;
  if (!std::filesystem::exists(folder, error) && !error) return;
  std::filesystem::directory_iterator entry(folder, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const auto name = entry->path().filename().string();
    if (name != kLockFile && !is_model_file(name) && name != kManifestTemporary) {
      detail::fail(ErrorCode::already_exists, folder.string(),
                   ": expected an empty folder for a new gallery, found '", name, "'");
    }
  }
  if (error) detail::fail(ErrorCode::io, folder.string(), ": cannot list the folder: ", error.message());
}

FolderLock prepare_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) detail::fail(ErrorCode::io, folder.string(), ": cannot create the folder: ", error.message());
  require_new_folder(folder);  // before a lock file is made there
  FolderLock lock(folder);
  require_new_folder(folder);  // another program may have been faster
  return lock;
}

void sync_parent(const std::filesystem::path& folder) {
  const auto whole = std::filesystem::absolute(folder).lexically_normal();
  io::sync_folder((whole.has_filename() ? whole : whole.parent_path()).parent_path());
}

std::shared_ptr<const SnapshotState> read_state(const std::filesystem::path& folder) {
  const auto file = folder / kManifestFile;
  Fingerprint last_tried;
  for (;;) {
    const auto bytes = io::read_file(file, kMaxManifestBytes);
    Fingerprint hash;
    const auto manifest =
        Manifest::parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, file.string(), hash);
    try {
      auto state = read_named(folder, manifest);
      state->fingerprint = hash;
      return state;
    } catch (const Error& error) {
      // A writer may have compacted between our reading the manifest and opening a segment; then there is a
      // newer one.
      if (error.code() != ErrorCode::not_found) throw;
      if (hash == last_tried)
        detail::fail(ErrorCode::corrupt, file.string(), ": a file it names: ", error.what());
      last_tried = hash;
    }
  }
}

SnapshotPart write_part(const std::filesystem::path& folder, const RowSource& rows, const Model& model,
                        std::uint64_t generation, const Progress& progress) {
  SnapshotPart part;
  part.file = numbered("segment", generation, ".mrseg");
  std::shared_ptr<const io::SectionFile> file;
  if (folder.empty()) {
    io::MemorySink sink;
    write_segment(rows, model, sink, progress);
    const std::size_t size = sink.size();
    file = io::SectionFile::from_memory(sink.take(), size, part.file);
  } else {
    io::FileSink sink(folder / part.file);
    write_segment(rows, model, sink, progress);
    sink.publish();
    file = io::SectionFile::map(folder / part.file);
  }
  part.segment = Segment::open(std::move(file), model);
  return part;
}

void publish(const std::filesystem::path& folder, SnapshotState& state) {
  Manifest manifest = manifest_of(state);
  if (const auto removals = removals_of(state); !removals.empty()) {
    const auto bytes = removals.to_bytes();
    manifest.removals_file = numbered("removals", state.generation, ".mrrem");
    manifest.removals = Fingerprint::of(bytes);
    if (!folder.empty()) io::write_file_atomically(folder / manifest.removals_file, bytes);
  }
  const std::string text = manifest.to_text(state.fingerprint);
  if (folder.empty()) return;
  const auto model = folder / manifest.model_file;
  if (state.generation == 0) io::write_file_atomically(model, state.model.to_bytes());
  io::write_file_atomically(folder / kManifestFile, std::as_bytes(std::span(text)));
}

bool is_published(const std::filesystem::path& folder, const Fingerprint& fingerprint) {
  if (folder.empty()) return false;
  try {
    const auto bytes = io::read_file(folder / kManifestFile, kMaxManifestBytes);
    Fingerprint hash;
    Manifest::parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, kManifestFile, hash);
    return hash == fingerprint;
  } catch (const Error&) {
    return false;
  }
}

void remove_unnamed_files(const std::filesystem::path& folder, const SnapshotState& state) noexcept try {
  if (folder.empty()) return;
  std::set<std::string> named = {model_file(state.model)};
  if (!removals_of(state).empty()) named.insert(numbered("removals", state.generation, ".mrrem"));
  for (const auto& part : state.parts) named.insert(part.file);
  std::error_code ignored;
  std::filesystem::directory_iterator entry(folder, ignored);
  for (; !ignored && entry != std::filesystem::directory_iterator(); entry.increment(ignored)) {
    const auto name = entry->path().filename().string();
    std::error_code kept;
    if (is_gallery_file(name) && !named.contains(name)) std::filesystem::remove(entry->path(), kept);
  }
} catch (const std::exception&) {  // out of memory
}

}  // namespace medretrieval::gallery
