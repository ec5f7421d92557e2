#include "imaging/datasets/folder_files.hpp"

namespace medretrieval::imaging::datasets {

namespace fs = std::filesystem;

namespace {

constexpr int kDeepestFolder = 64;

using Visit = std::function<void(const fs::path&, const std::vector<std::string>&)>;

void walk(const fs::path& folder, int depth, RecordSink& sink, const Visit& visit) {
  if (depth > kDeepestFolder) return sink.skip("too_deep_folder", folder.string());
  FolderContent content = read_folder(folder);
  if (!content.is_readable) sink.skip("unreadable_folder", folder.string());
  visit(folder, content.files);
  content.files = {};  // not held while the folders below are visited
  for (const std::string& inner : content.folders) walk(folder / inner, depth + 1, sink, visit);
}

}  // namespace

FolderContent read_folder(const fs::path& folder) {
  FolderContent content;
  std::error_code error;
  for (auto entry = fs::directory_iterator(folder, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    std::error_code ignored;  // what cannot be looked at is found out when it is opened
    const bool is_link = entry->is_symlink(ignored);
    const bool is_folder = entry->is_directory(ignored);
    if (is_folder && !is_link) content.folders.push_back(entry->path().filename().string());
    if (entry->is_regular_file(ignored) || (is_link && !is_folder && !entry->is_other(ignored))) {
      content.files.push_back(entry->path().filename().string());
    }
  }
  content.is_readable = !error;
  std::sort(content.files.begin(), content.files.end());
  std::sort(content.folders.begin(), content.folders.end());
  return content;
}

void walk_folders(const fs::path& root, RecordSink& sink, const Visit& visit) {
  walk(root, 0, sink, visit);
}

}  // namespace medretrieval::imaging::datasets
