// One writer to a folder at a time.
#pragma once

#include <filesystem>

namespace medretrieval::imaging {

/// Holds a folder while it lives. The lock is on the folder itself, so that no file for it lies among the
/// results; it ends with the process, however that ends.
class FolderLock {
 public:
  /// \throws Error locked (another process or object holds the folder), io.
  explicit FolderLock(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_;
};

}  // namespace medretrieval::imaging
