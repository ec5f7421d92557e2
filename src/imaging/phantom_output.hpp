// The folder that phantoms are written to: whole or not there.
#pragma once

#include <filesystem>
#include <medretrieval/error.hpp>
#include <system_error>

#include "base/concat.hpp"
#include "imaging/file_bytes.hpp"

namespace medretrieval::imaging::phantom {

/// The output folder: begun empty, and taken away again unless it is kept.
class NewFolder {
 public:
  explicit NewFolder(const std::filesystem::path& path) : path_(path) {
    std::error_code error;
    existed_ = std::filesystem::exists(path_, error);
    if (existed_ && !std::filesystem::is_directory(path_, error)) {
      detail::fail(ErrorCode::already_exists, path_.string(), " exists and is not a folder");
    }
    const bool empty = !existed_ || std::filesystem::is_empty(path_, error);
    if (error) detail::fail(ErrorCode::io, "cannot look into ", path_.string(), ": ", error.message());
    if (!empty) detail::fail(ErrorCode::already_exists, path_.string(), " is not empty");
    make_folder(path_);
  }
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;
  ~NewFolder() {
    if (kept_) return;
    std::error_code ignored;
    if (existed_) {
      for (const auto& entry : std::filesystem::directory_iterator(path_, ignored))
        std::filesystem::remove_all(entry.path(), ignored);
    } else {
      std::filesystem::remove_all(path_, ignored);
    }
  }

  void add_folder(const std::filesystem::path& name) { make_folder(path_ / name); }
  void keep() { kept_ = true; }

 private:
  std::filesystem::path path_;
  bool existed_ = false;
  bool kept_ = false;
};

}  // namespace medretrieval::imaging::phantom
