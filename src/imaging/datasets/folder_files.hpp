// Going through the files of a folder, over several threads and yet in order.
#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <medretrieval/imaging/dataset.hpp>
#include <string>
#include <vector>

#include "base/parallel_for.hpp"

namespace medretrieval::imaging::datasets {

/// What a folder holds, each by name: the same order on every file system.
struct FolderContent {
  std::vector<std::string> files;    ///< regular ones, and links to anything but a folder
  std::vector<std::string> folders;  ///< without links, so that nothing is visited twice or for ever
  bool is_readable = true;
};

FolderContent read_folder(const std::filesystem::path& folder);

/// Gives `root` and the folders below it with the names of their files: a folder before those in it, each by
/// name. Skipped are unreadable_folder and, more than 64 deep, too_deep_folder.
void walk_folders(const std::filesystem::path& root, RecordSink& sink,
                  const std::function<void(const std::filesystem::path& folder,
                                           const std::vector<std::string>& files)>& visit);

/// Calls read(i) for every i below `count` over the threads, and take(i, result) in order in this one. At most
/// kResultsAtATime results are held.
template <class Read, class Take>
void read_in_order(std::size_t count, int threads, const Read& read, const Take& take) {
  constexpr std::size_t kResultsAtATime = 256;
  std::vector<decltype(read(std::size_t{0}))> results;
  for (std::size_t begin = 0; begin < count; begin += kResultsAtATime) {
    results.clear();
    results.resize(std::min(kResultsAtATime, count - begin));
    detail::parallel_for(results.size(), threads, [&](std::size_t i) { results[i] = read(begin + i); });
    for (std::size_t i = 0; i < results.size(); ++i) take(begin + i, std::move(results[i]));
  }
}

}  // namespace medretrieval::imaging::datasets
