#include <gtest/gtest.h>

#include <fstream>
#include <medretrieval/imaging/load.hpp>
#include <medretrieval/imaging/mask.hpp>

#include "support/expect_error.hpp"
#include "support/test_data.hpp"

namespace medretrieval::imaging {
namespace {

class Masks : public ::testing::Test {
 protected:
  Masks() {
    std::filesystem::create_directory(folder_ / "masks");
    Image mask(6, 4, PixelUnit::display);
    mask.at(2, 1) = 1;
    write_png(mask, folder_ / "masks/a.png");
  }

  Manifest manifest_with(const std::string& cells) {
    std::ofstream(folder_ / "manifest.csv") << "path,label,mask\n" << cells;
    return read_manifest(folder_.path(), folder_ / "manifest.csv");
  }
  std::vector<MaskSource> sources(const std::string& cells, const std::string& column = "mask") {
    const Manifest manifest = manifest_with(cells);
    std::vector<std::size_t> rows(manifest.rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = i;
    return mask_sources(folder_.path(), manifest, column, rows);
  }

  testing::TemporaryFolder folder_;
};

TEST_F(Masks, AreFilesNothingOrNotKnown) {
  const auto found = sources("a.png,x,masks/a.png\nb.png,x,none\nc.png,x,\n");
  ASSERT_EQ(found.size(), 3U);
  EXPECT_TRUE(found[0].is_known);
  EXPECT_EQ(found[0].file, folder_ / "masks/a.png");
  EXPECT_EQ(found[0].line, 2U);
  EXPECT_TRUE(found[1].is_known);
  EXPECT_FALSE(found[1].file);
  EXPECT_FALSE(found[2].is_known);
  EXPECT_FALSE(found[2].file);
}

TEST_F(Masks, OfSomeRowsComeInTheirOrder) {
  const Manifest manifest = manifest_with("a.png,x,masks/a.png\nb.png,x,none\nc.png,x,gone.png\n");
  const auto found = mask_sources(folder_.path(), manifest, "mask", {1, 0});
  ASSERT_EQ(found.size(), 2U) << "the third row is not asked for, and its file may be missing";
  EXPECT_FALSE(found[0].file);
  EXPECT_TRUE(found[1].file);
}

TEST_F(Masks, WhatCannotBeIsRefusedWithItsLine) {
  EXPECT_ERROR(sources("a.png,x,masks/a.png\nb.png,x,masks/b.png\n"), not_found, "line 3: expected a mask");
  EXPECT_ERROR(sources("a.png,x,masks\n"), not_found, "line 2");
  EXPECT_ERROR(sources("a.png,x,../a.png\n"), invalid_argument, "line 2: the path \"../a.png\"");
  EXPECT_ERROR(sources("a.png,x,/etc/passwd\n"), invalid_argument, "inside the folder");
  EXPECT_ERROR(sources("a.png,x,none\n", "masks"), not_found, "no column of masks \"masks\"");
  EXPECT_ERROR(sources("a.png,x,none\n", "label"), not_found, "another meaning are mask");
}

TEST_F(Masks, AreAsLargeAsTheirImages) {
  const auto found = sources("a.png,x,masks/a.png\nb.png,x,none\nc.png,x,\n");
  const Image mask = load_mask(found[0], 6, 4);
  EXPECT_EQ(mask.at(2, 1), 1);
  EXPECT_EQ(mask.at(1, 1), 0);
  EXPECT_ERROR(load_mask(found[0], 4, 6), incompatible,
               "expected a mask of 4 x 6 pixels as its image has, got 6 x 4");
  const Image nothing = load_mask(found[1], 3, 2);
  EXPECT_EQ(nothing.width(), 3U);
  EXPECT_EQ(nothing.height(), 2U);
  for (const float value : nothing.pixels()) EXPECT_EQ(value, 0);
  EXPECT_ERROR(load_mask(found[2], 3, 2), invalid_argument, "line 4");
}

}  // namespace
}  // namespace medretrieval::imaging
