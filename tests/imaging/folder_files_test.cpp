#include "imaging/datasets/folder_files.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <stdexcept>

#include "imaging/dataset_support.hpp"
#include "support/make_images.hpp"
#include "support/test_data.hpp"

namespace medretrieval::imaging::datasets {
namespace {

TEST(ReadInOrder, ResultsComeInOrderFromAnyNumberOfThreads) {
  for (const int threads : {1, 4}) {
    std::vector<std::size_t> taken;
    read_in_order(
        1000, threads, [](std::size_t i) { return 3 * i; },
        [&](std::size_t i, std::size_t result) {
          EXPECT_EQ(result, 3 * i);
          taken.push_back(i);
        });
    std::vector<std::size_t> expected(1000);
    std::iota(expected.begin(), expected.end(), std::size_t{0});
    EXPECT_EQ(taken, expected);
  }
}

TEST(ReadInOrder, WhatIsThrownComesOut) {
  const auto refuse = [](std::size_t i) -> int {
    if (i == 300) throw std::runtime_error("300");
    return 0;
  };
  std::size_t taken = 0;
  EXPECT_THROW(read_in_order(1000, 2, refuse, [&](std::size_t, int) { ++taken; }), std::runtime_error);
  EXPECT_EQ(taken, 256U) << "those before the block that failed";
}

TEST(ReadFolder, ByNameAndWithoutLinksToFolders) {
  const testing::TemporaryFolder folder;
  for (const char* name : {"b", "a", "c"}) testing::write_bytes(folder / name, testing::ByteVector{1});
  std::filesystem::create_directory(folder / "inner");
  std::filesystem::create_directory_symlink(folder.path(), folder / "loop");
  const FolderContent content = read_folder(folder.path());
  EXPECT_EQ(content.files, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(content.folders, std::vector<std::string>{"inner"});
  EXPECT_TRUE(content.is_readable);
  EXPECT_FALSE(read_folder(folder / "missing").is_readable);
}

TEST(WalkFolders, AFolderBeforeThoseInItAndWhatIsTooDeepCounted) {
  const testing::TemporaryFolder folder;
  std::filesystem::path deep = folder.path();
  for (int i = 0; i < 66; ++i) deep /= "d";
  std::filesystem::create_directories(deep);
  testing::write_bytes(folder / "d/a", testing::ByteVector{1});
  testing::write_bytes(deep / "b", testing::ByteVector{1});
  Collector sink;
  std::vector<std::string> names;
  std::size_t folders = 0;
  walk_folders(folder.path(), sink, [&](const auto&, const std::vector<std::string>& files) {
    ++folders;
    names.insert(names.end(), files.begin(), files.end());
  });
  EXPECT_EQ(names, std::vector<std::string>{"a"});
  EXPECT_EQ(folders, 65U);
  EXPECT_EQ(sink.skipped, (std::map<std::string, std::size_t>{{"too_deep_folder", 1}}));
  walk_folders(folder / "missing", sink, [](const auto&, const auto&) {});
  EXPECT_EQ(sink.skipped.at("unreadable_folder"), 1U);
}

}  // namespace
}  // namespace medretrieval::imaging::datasets
