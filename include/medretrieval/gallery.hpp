/// \file
/// Galleries: the images that can be found, in memory or as a folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <medretrieval/fingerprint.hpp>
#include <medretrieval/item.hpp>
#include <medretrieval/matrix.hpp>
#include <medretrieval/model.hpp>
#include <medretrieval/progress.hpp>

namespace medretrieval {

namespace detail {
struct SnapshotState;
}

/// One segment of a snapshot, for reports.
struct SegmentInfo {
  std::string file;  ///< name within the folder; of galleries in memory a made-up one
  std::size_t rows = 0;
  std::size_t removed = 0;  ///< rows that were removed since the segment was written
  std::size_t bytes = 0;
  Fingerprint checksum;
};

/// Search parameters that reach a recall in a gallery; tune_search() finds them.
struct TunedSearch {
  double recall = 0;            ///< measured when they were chosen
  std::size_t k = 10;           ///< that it was measured for
  std::size_t probes = 0;       ///< see SearchOptions::probes
  std::size_t pool_factor = 2;  ///< see SearchOptions::pool_factor

  bool operator==(const TunedSearch&) const = default;
  /// \throws Error (invalid_argument).
  void validate() const;
};

/// A gallery at one moment. It never changes, whatever the gallery does later; cheap to copy; thread-safe.
/// Functions that read items throw Error (corrupt) when they meet a damaged block.
class Snapshot {
 public:
  /// Opens the folder of a gallery for reading; needs no lock and does not hinder a writer.
  /// \throws Error not_found, io, corrupt, unsupported (a newer format).
  static Snapshot open(const std::filesystem::path& folder);

  const Model& model() const noexcept;
  std::size_t size() const noexcept;  ///< items that are there
  std::uint64_t generation() const noexcept;
  /// Names this exact content: the hash of its manifest, which names the hash of the one before.
  const Fingerprint& fingerprint() const noexcept;
  std::vector<SegmentInfo> segments() const;
  /// Names and types of the attributes.
  std::map<std::string, ColumnType> attributes() const;

  /// What was stored with Gallery::set_tuned_search().
  const std::optional<TunedSearch>& tuned_search() const noexcept;

  bool contains(ItemId id) const;
  /// \throws Error (not_found).
  Item item(ItemId id) const;
  std::optional<ItemId> find_key(std::string_view key) const;
  /// The feature vector as stored: rounded where the model stores float16.
  /// \throws Error (not_found).
  std::vector<float> features(ItemId id) const;
  /// All ids, ascending.
  std::vector<ItemId> ids() const;

  /// Reads everything and checks every checksum and every reference.
  /// \throws Error corrupt, cancelled.
  void verify(const Progress& progress = {}) const;

  /// For the library's own parts.
  const detail::SnapshotState& state() const noexcept { return *state_; }
  const std::shared_ptr<const detail::SnapshotState>& shared_state() const noexcept { return state_; }
  explicit Snapshot(std::shared_ptr<const detail::SnapshotState> state) : state_(std::move(state)) {}

 private:
  std::shared_ptr<const detail::SnapshotState> state_;
};

/// Which segments compact() rewrites.
struct CompactOptions {
  /// Segments with fewer live items than this, and all that hold removed rows, are merged into one.
  std::size_t merge_below = 1'000'000;
  Progress progress = {};
};

/// The writing side of a gallery. Changes gather until commit(), which makes them durable and visible all at
/// once; until then snapshots do not see them and a crash loses only them. A call that throws changes
/// nothing. All functions may be called from several threads; they take turns.
class Gallery {
 public:
  /// An empty gallery in memory.
  explicit Gallery(Model model);
  /// A new gallery in a folder that is empty or does not exist. What a failed create() left there is replaced.
  /// \throws Error already_exists (the folder has content), locked, io.
  static Gallery create(const std::filesystem::path& folder, Model model);
  /// Does nothing when create() could make a gallery in that folder, for checks before long work.
  /// \throws Error already_exists, io.
  static void require_new(const std::filesystem::path& folder);
  /// Opens the folder of a gallery for writing and removes what a crash may have left.
  /// \throws Error not_found, locked (another writer has it), io, corrupt, unsupported.
  static Gallery open(const std::filesystem::path& folder);
  ~Gallery();
  Gallery(Gallery&&) noexcept;
  Gallery& operator=(Gallery&&) noexcept;

  const Model& model() const;
  const std::filesystem::path& folder() const;  ///< empty in memory

  /// Adds items: encodes the features and assigns ids where none are given, ascending.
  /// \param items one a row, or empty: ids only
  /// \return the id of every row
  /// \throws Error invalid_argument (features, also above kMaxHalfMagnitude where float16 is stored, sizes, text too
  ///        long, attribute out of place), not_found (a
  ///        label outside the vocabulary), already_exists (an id that is or was used, a key that is taken, or
  ///        either twice in the call), incompatible (an attribute of another type), cancelled.
  std::vector<ItemId> add(MatrixView features, std::span<const Item> items = {}, int threads = 0,
                          const Progress& progress = {});

  /// Like add(), but an item whose key is there already replaces the old one, which is removed; the new one
  /// has an id of its own. Every item needs a key.
  std::vector<ItemId> upsert(MatrixView features, std::span<const Item> items, int threads = 0,
                             const Progress& progress = {});

  /// Removes items, committed or not. Their ids are never used again.
  /// \throws Error (not_found) naming the first id that is not there.
  void remove(std::span<const ItemId> ids);

  /// Makes all changes since the last commit durable and visible. Without changes nothing is written.
  /// \throws Error (io): everything is as before, and the changes still wait.
  Snapshot commit();

  /// Stores search parameters with the gallery, as a generation of its own; none removes them. The command line searches
  /// with them. Later changes keep them, though the recall may move.
  /// \throws Error (io); invalid_argument while changes wait or for a number out of range.
  Snapshot set_tuned_search(const std::optional<TunedSearch>& tuned);

  /// Forgets the changes since the last commit. Ids assigned meanwhile may come again.
  void rollback();

  /// Items added and removed since the last commit.
  std::size_t pending_additions() const;
  std::size_t pending_removals() const;

  /// The last committed state.
  Snapshot snapshot() const;

  /// Merges small segments and drops removed rows; the content stays the same. Commits nothing that waits.
  /// \throws Error io, corrupt, cancelled; invalid_argument while changes wait.
  Snapshot compact(const CompactOptions& options = {});

 private:
  struct Impl;
  explicit Gallery(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace medretrieval
