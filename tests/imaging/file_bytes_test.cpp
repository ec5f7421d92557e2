#include "imaging/file_bytes.hpp"

#include <gtest/gtest.h>

#include "imaging/dataset_support.hpp"

namespace medretrieval::imaging {
namespace {

namespace fs = std::filesystem;

TEST(WriteFile, ReplacesOrLeavesAsItWas) {
  const testing::TemporaryFolder folder;
  const std::vector<std::uint8_t> bytes = {1, 2, 3};
  write_file(folder / "file", bytes);
  write_file(folder / "file", std::span(bytes).first(2));
  EXPECT_EQ(fs::file_size(folder / "file"), 2U);
  EXPECT_ERROR(write_file(folder / "absent/file", bytes), io, "No such file or directory");
  fs::create_directories(folder / "full/inner");
  EXPECT_ERROR(write_file(folder / "full", bytes), io, "Is a directory");
  std::size_t entries = 0;
  for (const auto& entry : fs::directory_iterator(folder.path())) entries += entry.exists() ? 1 : 0;
  EXPECT_EQ(entries, 2U) << "no temporary file stays";
  EXPECT_NO_THROW(sync(folder.path()));
  EXPECT_ERROR(sync(folder / "absent"), io, "cannot open");
}

TEST(MakeFolder, SaysWhyNot) {
  const testing::TemporaryFolder folder;
  make_folder(folder / "a/b");
  make_folder(folder / "a/b");
  make_folder("");
  write_text(folder / "file", "x");
  EXPECT_ERROR(make_folder(folder / "file/c"), io, "cannot make the folder");
}

}  // namespace
}  // namespace medretrieval::imaging
