// What every published form of phantoms keeps; each form has a test of its own too.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <medretrieval/imaging/import.hpp>
#include <medretrieval/imaging/manifest.hpp>
#include <medretrieval/imaging/phantom_dataset.hpp>
#include <set>
#include <string>

#include "imaging/dataset_support.hpp"
#include "imaging/phantom_support.hpp"

namespace medretrieval::imaging {
namespace {

PhantomDatasetOptions small() {
  PhantomDatasetOptions options;
  options.patients = 8;
  options.images_per_patient = 2;
  options.slices = 5;
  options.side = 64;
  options.threads = 2;
  return options;
}

class PhantomDataset : public ::testing::TestWithParam<std::string> {
 protected:
  testing::TemporaryFolder folder_;
};

INSTANTIATE_TEST_SUITE_P(EveryForm, PhantomDataset, ::testing::ValuesIn(phantom_dataset_names()),
                         [](const auto& form) {
                           std::string name = form.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST_P(PhantomDataset, IsReadByTheReaderOfItsName) {
  EXPECT_FALSE(phantom_dataset_description(GetParam()).empty());
  const auto counts = write_phantom_dataset(GetParam(), folder_ / "data", small());
  EXPECT_EQ(counts.patients, 8U);
  EXPECT_GE(counts.images, 8U);
  const Collector all = collect(GetParam(), folder_ / "data");
  EXPECT_EQ(all.patients(), 8U);
  for (const auto& [kind, count] : all.skipped) {
    // What the real sets have too: marks that are no nodules of their own, lesions of doubtful place.
    const bool is_meant = kind == "nodule_below_3_mm" || kind == "non_nodule" || kind == "possibly_noisy";
    EXPECT_TRUE(is_meant) << kind << ": " << count << ", " << all.reasons.front();
  }
}

TEST_P(PhantomDataset, TheSameSeedGivesTheSameBytesAtAnyNumberOfThreads) {
  PhantomDatasetOptions options = small();
  write_phantom_dataset(GetParam(), folder_ / "a", options);
  options.threads = 1;
  write_phantom_dataset(GetParam(), folder_ / "b", options);
  options.seed = 2;
  write_phantom_dataset(GetParam(), folder_ / "c", options);
  const auto content = testing::folder_content(folder_ / "a");
  EXPECT_GT(content.size(), 9U);
  EXPECT_TRUE(content == testing::folder_content(folder_ / "b"));
  EXPECT_FALSE(content == testing::folder_content(folder_ / "c"));
}

TEST_P(PhantomDataset, IsImportedWithItsPatientsApart) {
  PhantomDatasetOptions options = small();
  options.patients = 24;
  write_phantom_dataset(GetParam(), folder_ / "data", options);
  const ImportReport report = import_dataset(GetParam(), folder_ / "data", folder_ / "out", {});
  EXPECT_EQ(report.patients, 24U);
  EXPECT_EQ(report.patients_in_two_splits, 0U);
  EXPECT_EQ(report.splits.size(), 3U);
  const Manifest manifest = read_manifest(folder_ / "out", folder_ / "out/manifest.csv");
  EXPECT_EQ(manifest.rows.size(), report.images);
  EXPECT_GT(report.images, report.patients) << "some patients have several images";
  std::map<std::string, std::set<std::string>> splits_of;
  for (const ManifestRow& row : manifest.rows) splits_of[row.patient].insert(row.split);
  for (const auto& [patient, splits] : splits_of) EXPECT_EQ(splits.size(), 1U) << patient;
  EXPECT_EQ(patients_in_two_splits(manifest).patients, 0U);
}

TEST_P(PhantomDataset, IsWrittenWholeOrNotAtAll) {
  write_text(folder_ / "full/note.txt", "mine");
  EXPECT_ERROR(write_phantom_dataset(GetParam(), folder_ / "full", small()), already_exists, "not empty");
  EXPECT_EQ(read_text(folder_ / "full/note.txt"), "mine");
  const auto never = [](const auto&) { return false; };
  EXPECT_ERROR(write_phantom_dataset(GetParam(), folder_ / "none", small(), never), cancelled, "cancelled");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "none"));
}

TEST_P(PhantomDataset, RefusesWhatIsOutOfRange) {
  const auto refused = [&](std::size_t PhantomDatasetOptions::*field, std::size_t value,
                           const std::string& text) {
    PhantomDatasetOptions options = small();
    options.*field = value;
    EXPECT_ERROR(write_phantom_dataset(GetParam(), folder_ / "none", options), invalid_argument, text);
  };
  refused(&PhantomDatasetOptions::patients, 0, "patients must be 1 to 99999, got 0");
  refused(&PhantomDatasetOptions::images_per_patient, 65, "images_per_patient must be 1 to 64, got 65");
  refused(&PhantomDatasetOptions::slices, 2, "slices must be 3 to 64, got 2");
  refused(&PhantomDatasetOptions::side, 63, "side must be 64 to 1024, got 63");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "none"));
}

TEST(PhantomDatasetNames, AreThoseOfReaders) {
  EXPECT_EQ(phantom_dataset_names(),
            (std::vector<std::string>{"chestx-ray14", "chexpert", "deeplesion", "luna16", "lidc-idri"}));
  const testing::TemporaryFolder folder;
  EXPECT_ERROR(write_phantom_dataset("mimic", folder / "none"), not_found,
               "chestx-ray14, chexpert, deeplesion, luna16, lidc-idri");
}

}  // namespace
}  // namespace medretrieval::imaging
