#include "imaging/datasets/folder_files.hpp"

namespace medretrieval::imaging::datasets {

namespace fs = std::filesystem;

FolderContent read_folder(const fs::path& folder) {
  FolderContent content;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    std::error_code ignored;  // what has gone meanwhile is neither
    if (entry.is_directory(ignored) && !entry.is_symlink(ignored)) {
      content.folders.push_back(entry.path().filename().string());
    }
    if (entry.is_regular_file(ignored)) content.files.push_back(entry.path().filename().string());
  }
  content.is_readable = !error;
  std::sort(content.files.begin(), content.files.end());
  std::sort(content.folders.begin(), content.folders.end());
  return content;
}

}  // namespace medretrieval::imaging::datasets
