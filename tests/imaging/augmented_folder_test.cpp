#include <gtest/gtest.h>

#include <medretrieval/imaging/augment.hpp>
#include <medretrieval/imaging/load.hpp>
#include <medretrieval/imaging/manifest.hpp>
#include <set>
#include <string>

#include "imaging/folder_lock.hpp"
#include "support/expect_error.hpp"
#include "support/make_images.hpp"
#include "support/test_data.hpp"

namespace medretrieval::imaging {
namespace {

class AugmentedFolder : public ::testing::Test {
 protected:
  AugmentedFolder() {
    for (const char* name : {"a.png", "b.png", "c.png"}) {
      Image image(12, 12, PixelUnit::display);
      image.at(3, 4) = 1;
      image.at(9, 2) = 0.5F;
      write_png(image, folder_ / name);
    }
    write(
        "path,patient_id,labels,split,size\na.png,p1,x|y,train,\"1,5\"\nb.png,p2,y,query,2\nc.png,p3,,train,"
        "3\n");
  }
  void write(const std::string& text) {
    testing::write_bytes(folder_ / "manifest.csv", testing::ByteVector(text.begin(), text.end()));
  }

  testing::TemporaryFolder folder_;
};

TEST_F(AugmentedFolder, CopiesOfTrainingImagesOnly) {
  AugmentedFolderOptions options;
  options.copies = 3;
  EXPECT_EQ(augment_training_images(folder_.path(), options), 6U);
  const Manifest manifest = read_manifest(folder_.path(), folder_ / "manifest_augmented.csv");
  ASSERT_EQ(manifest.rows.size(), 9U);
  EXPECT_EQ(manifest.other_columns, (std::vector<std::string>{"size", "copy_of"}));
  EXPECT_EQ(manifest.rows[1].split, "query");
  EXPECT_EQ(manifest.rows[1].other, (std::vector<std::string>{"2", ""}));
  std::set<std::string> paths;
  std::set<std::string> files;
  for (std::size_t i = 3; i < 9; ++i) {
    const ManifestRow& copy = manifest.rows[i];
    EXPECT_EQ(copy.split, "train");
    EXPECT_EQ(copy.patient, i < 6 ? "p1" : "p3");
    EXPECT_EQ(copy.labels.size(), i < 6 ? 2U : 0U);
    EXPECT_EQ(copy.other[0], i < 6 ? "1,5" : "3");
    EXPECT_EQ(copy.other[1], i < 6 ? "a.png" : "c.png");
    EXPECT_EQ(load_image(copy.file).width(), 12U);
    paths.insert(copy.path);
    const testing::ByteVector bytes = testing::read_bytes(copy.file);
    files.emplace(bytes.begin(), bytes.end());
  }
  EXPECT_EQ(paths.size(), 6U);
  EXPECT_EQ(files.size(), 6U);
}

TEST_F(AugmentedFolder, TheSameSeedGivesTheSameFiles) {
  AugmentedFolderOptions options;
  options.copies = 2;
  augment_training_images(folder_.path(), options);
  const auto first = testing::read_bytes(folder_ / "augmented/000002-002.png");
  options.copies = 3;
  options.threads = 1;
  augment_training_images(folder_.path(), options);
  EXPECT_EQ(testing::read_bytes(folder_ / "augmented/000002-002.png"), first);
  options.augmentation.seed = 2;
  augment_training_images(folder_.path(), options);
  EXPECT_NE(testing::read_bytes(folder_ / "augmented/000002-002.png"), first);
}

TEST_F(AugmentedFolder, CopiesHaveTheBitsOfTheirImage) {
  Image image(12, 12, PixelUnit::display);
  image.at(3, 4) = 0.5F;
  write_png(image, folder_ / "a.png", 16);
  const auto bits = [&](const char* name) { return testing::read_bytes(folder_ / name).at(24); };
  AugmentedFolderOptions options;
  augment_training_images(folder_.path(), options);
  EXPECT_EQ(bits("augmented/000000-001.png"), 16);
  EXPECT_EQ(bits("augmented/000002-001.png"), 8);
  options.bits = 8;
  augment_training_images(folder_.path(), options);
  EXPECT_EQ(bits("augmented/000000-001.png"), 8);
}

TEST_F(AugmentedFolder, NothingStaleStays) {
  AugmentedFolderOptions options;
  options.copies = 6;
  augment_training_images(folder_.path(), options);
  testing::write_bytes(folder_ / "augmented/notes.txt", testing::ByteVector{1});
  options.copies = 3;
  augment_training_images(folder_.path(), options);
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "augmented")) {
    files += entry.is_regular_file() ? 1 : 0;
  }
  EXPECT_EQ(files, 7U) << "six copies and what is not ours";
  const Progress stop = [](const ProgressReport&) { return false; };
  EXPECT_ERROR(augment_training_images(folder_.path(), options, stop), cancelled, "augment");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "manifest_augmented.csv"))
      << "a manifest beside copies that are half replaced";
}

TEST_F(AugmentedFolder, OneWriterAtATime) {
  const FolderLock held(folder_.path());
  EXPECT_ERROR(augment_training_images(folder_.path()), locked, "another process");
}

TEST_F(AugmentedFolder, APatientInTwoSplitsNeedsPermission) {
  write("path,patient_id,labels,split\na.png,p1,x,train\nb.png,p1,y,query\nc.png,p3,,train\n");
  AugmentedFolderOptions options;
  EXPECT_ERROR(augment_training_images(folder_.path(), options), incompatible,
               "1 patient is in two splits (lines 2 and 3 are of one)");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "augmented"));
  options.allow_leak = true;
  EXPECT_EQ(augment_training_images(folder_.path(), options), 8U);
}

TEST_F(AugmentedFolder, RefusesWhatItCannotUse) {
  AugmentedFolderOptions options;
  options.copies = 0;
  EXPECT_ERROR(augment_training_images(folder_.path(), options), invalid_argument, "copies is 0");
  options = {};
  options.bits = 12;
  EXPECT_ERROR(augment_training_images(folder_.path(), options), invalid_argument, "bits is 12");
  EXPECT_ERROR(augment_training_images(folder_ / "absent"), not_found, "no such file");
  write("path,labels,copy_of,split\na.png,x,,train\n");
  EXPECT_ERROR(augment_training_images(folder_.path()), invalid_argument, "lists copies already");
  write("path,labels\na.png,x\n");
  EXPECT_ERROR(augment_training_images(folder_.path()), invalid_argument, "no image whose split is train");
}

}  // namespace
}  // namespace medretrieval::imaging
