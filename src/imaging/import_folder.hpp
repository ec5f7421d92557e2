// The folder that an import writes to: one import at a time, always the same one.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "imaging/folder_lock.hpp"

namespace medretrieval::imaging {

/// Holds the folder while it lives.
class ImportFolder {
 public:
  /// Begins a folder or takes one up again. `settings`, a JSON object, are kept in import.json; what an
  /// interrupted run has left half written is removed.
  /// \throws Error already_exists (other content), incompatible (begun with other settings: the message names
  ///        those that differ), corrupt (an import.json that is none), locked, io.
  ImportFolder(std::filesystem::path path, const std::string& settings);

  const std::filesystem::path& path() const noexcept { return path_; }
  std::filesystem::path images() const { return path_ / "images"; }
  std::filesystem::path manifest() const { return path_ / "manifest.csv"; }
  /// The path of an image below the folder: its key where that is plain enough for a file name, else a digest.
  static std::string image_path(const std::string& key);

 private:
  void take_up(const std::string& settings) const;
  bool has_results() const;
  void remove_unfinished() const;

  std::filesystem::path path_;
  std::optional<FolderLock> lock_;
};

}  // namespace medretrieval::imaging
