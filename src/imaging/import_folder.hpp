// The folder that an import writes to: one import at a time, always the same one.
#pragma once

#include <filesystem>
#include <string>

namespace medretrieval::imaging {

/// Holds the folder while it lives.
class ImportFolder {
 public:
  /// Begins a folder or takes one up again. `settings` are kept in import.json; what an interrupted run has
  /// left half written is removed.
  /// \throws Error already_exists (other content), incompatible (begun with other settings), locked, io.
  ImportFolder(std::filesystem::path path, const std::string& settings);
  ~ImportFolder();
  ImportFolder(const ImportFolder&) = delete;
  ImportFolder& operator=(const ImportFolder&) = delete;

  const std::filesystem::path& path() const noexcept { return path_; }
  std::filesystem::path manifest() const { return path_ / "manifest.csv"; }
  /// The path of an image below the folder: its key where that is plain enough for a file name, else a digest.
  static std::string image_path(const std::string& key);

 private:
  void lock();
  void take_up(const std::string& settings) const;
  bool has_results() const;
  void remove_unfinished() const;

  std::filesystem::path path_;
  int lock_ = -1;
};

}  // namespace medretrieval::imaging
