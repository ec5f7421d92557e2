#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <fstream>
#include <map>
#include <medretrieval/imaging/dicom.hpp>
#include <medretrieval/imaging/load.hpp>
#include <medretrieval/imaging/manifest.hpp>
#include <medretrieval/imaging/mask.hpp>
#include <medretrieval/imaging/phantom.hpp>
#include <set>
#include <sstream>
#include <stdexcept>

#include "support/expect_error.hpp"
#include "support/test_data.hpp"

namespace medretrieval::imaging {
namespace {

namespace fs = std::filesystem;
using medretrieval::testing::TemporaryFolder;

PhantomFolderOptions small(PhantomKind kind) {
  PhantomFolderOptions options;
  options.phantom.kind = kind;
  options.phantom.patients = 20;
  options.phantom.images_per_patient = 2;
  options.phantom.side = 64;
  options.threads = 2;
  return options;
}

std::string bytes_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream bytes;
  bytes << stream.rdbuf();
  return bytes.str();
}

/// Every file below a folder, by its path, with its bytes.
std::map<std::string, std::string> contents(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) {
      files[fs::relative(entry.path(), folder).generic_string()] = bytes_of(entry.path());
    }
  }
  return files;
}

/// The value of a column that has no meaning to the manifest itself.
std::string value_of(const Manifest& manifest, const ManifestRow& row, const std::string& column) {
  for (std::size_t i = 0; i < manifest.other_columns.size(); ++i) {
    if (manifest.other_columns[i] == column) return row.other.at(i);
  }
  ADD_FAILURE() << "no column " << column;
  return {};
}

class PhantomFolder : public ::testing::TestWithParam<PhantomKind> {
 protected:
  TemporaryFolder temporary_;
  fs::path folder_ = temporary_ / "phantoms";
};

INSTANTIATE_TEST_SUITE_P(EveryKind, PhantomFolder,
                         ::testing::Values(PhantomKind::chest_ct, PhantomKind::chest_xray));

TEST_P(PhantomFolder, ManifestHasEveryImageAndItsTruth) {
  const PhantomFolderOptions options = small(GetParam());
  write_phantom_folder(folder_, options);
  const Manifest manifest = read_manifest(folder_, folder_ / "manifest.csv");
  ASSERT_EQ(manifest.rows.size(), 40U);
  std::set<std::string> paths;
  for (std::size_t i = 0; i < manifest.rows.size(); ++i) {
    const ManifestRow& row = manifest.rows[i];
    const PhantomImage drawn = draw_phantom(options.phantom, i / 2, i % 2);
    EXPECT_TRUE(fs::is_regular_file(row.file)) << row.path;
    EXPECT_TRUE(paths.insert(row.path).second) << row.path;
    EXPECT_EQ(row.patient, drawn.patient);
    EXPECT_EQ(row.labels, drawn.labels);
    EXPECT_EQ(value_of(manifest, row, "synthetic"), "yes");
    EXPECT_EQ(value_of(manifest, row, "modality"), GetParam() == PhantomKind::chest_ct ? "CT" : "CR");
    EXPECT_EQ(value_of(manifest, row, "study"), drawn.study);
    EXPECT_EQ(value_of(manifest, row, "date"), drawn.date);
    for (const auto& [name, value] : drawn.attributes) {
      EXPECT_NEAR(std::stod(value_of(manifest, row, name)), value, 1e-5 * std::abs(value)) << name;
    }
  }
  EXPECT_FALSE(fs::exists(folder_ / "dicom"));
}

TEST_P(PhantomFolder, SplitsKeepPatientsTogetherAndHaveTheirShares) {
  write_phantom_folder(folder_, small(GetParam()));
  std::map<std::string, std::set<std::string>> patients;
  std::map<std::string, std::set<std::string>> splits_of;
  for (const ManifestRow& row : read_manifest(folder_, folder_ / "manifest.csv").rows) {
    patients[row.split].insert(row.patient);
    splits_of[row.patient].insert(row.split);
  }
  EXPECT_EQ(patients["train"].size(), 10U);
  EXPECT_EQ(patients["database"].size(), 7U);
  EXPECT_EQ(patients["query"].size(), 3U);
  for (const auto& [patient, splits] : splits_of) EXPECT_EQ(splits.size(), 1U) << patient;
  std::set<std::string> last;
  for (std::size_t patient = 17; patient < 20; ++patient) {
    last.insert(draw_phantom(small(GetParam()).phantom, patient, 0).patient);
  }
  EXPECT_NE(patients["query"], last) << "splits are drawn, not counted off";
}

TEST_P(PhantomFolder, WritesTheSameBytesWithAnyThreads) {
  PhantomFolderOptions options = small(GetParam());
  options.phantom.patients = 4;
  options.dicom = true;
  write_phantom_folder(folder_, options);
  options.threads = 1;
  write_phantom_folder(temporary_ / "again", options);
  const auto files = contents(folder_);
  const auto masks = static_cast<std::size_t>(std::count_if(
      files.begin(), files.end(), [](const auto& file) { return file.first.starts_with("masks/"); }));
  EXPECT_EQ(files.size(), 2U * 8U + 2U + masks);
  if (GetParam() == PhantomKind::chest_ct) {
    EXPECT_EQ(masks, 8U);
  }
  EXPECT_EQ(files, contents(temporary_ / "again"));
}

TEST_P(PhantomFolder, PngShowsTheDrawnImage) {
  PhantomFolderOptions options = small(GetParam());
  options.phantom.patients = 2;
  write_phantom_folder(folder_, options);
  const Manifest manifest = read_manifest(folder_, folder_ / "manifest.csv");
  const PhantomImage drawn = draw_phantom(options.phantom, 1, 0);
  const Image expected =
      GetParam() == PhantomKind::chest_ct ? apply_window(drawn.image, {-300, 1800}) : drawn.image;
  const Image loaded = load_image(manifest.rows.at(2).file);
  ASSERT_EQ(loaded.pixels().size(), expected.pixels().size());
  for (std::size_t i = 0; i < expected.pixels().size(); ++i) {
    ASSERT_NEAR(loaded.pixels()[i], expected.pixels()[i], 0.51 / 255);
  }
}

TEST_P(PhantomFolder, MasksLieBesideEveryForm) {
  for (const bool png : {true, false}) {
    PhantomFolderOptions options = small(GetParam());
    options.png = png;
    options.dicom = !png;
    const fs::path folder = temporary_ / (png ? "png" : "dicom");
    write_phantom_folder(folder, options);
    const Manifest manifest = read_manifest(folder, folder / "manifest.csv");
    std::size_t written = 0;
    for (std::size_t i = 0; i < manifest.rows.size(); ++i) {
      const Image drawn = draw_phantom(options.phantom, i / 2, i % 2).mask;
      const std::string cell = value_of(manifest, manifest.rows[i], "mask");
      const bool is_empty = std::count(drawn.pixels().begin(), drawn.pixels().end(), 1.0F) == 0;
      ASSERT_EQ(cell == kNoLesion, is_empty) << cell;
      if (is_empty) continue;
      ++written;
      EXPECT_THAT(cell, ::testing::MatchesRegex("masks/SYNTHETIC-.*[.]png"));
      const Image loaded = load_image(folder / cell);
      ASSERT_TRUE(std::equal(loaded.pixels().begin(), loaded.pixels().end(), drawn.pixels().begin(),
                             drawn.pixels().end()));
    }
    EXPECT_EQ(static_cast<std::size_t>(std::distance(fs::directory_iterator(folder / "masks"), {})), written);
    EXPECT_GT(written, 0U);
    if (GetParam() == PhantomKind::chest_xray) {
      EXPECT_LT(written, manifest.rows.size());
    }
  }
}

TEST_P(PhantomFolder, DicomHoldsTheDrawnImageAndSaysThatItIsSynthetic) {
  const bool is_ct = GetParam() == PhantomKind::chest_ct;
  PhantomFolderOptions options = small(GetParam());
  options.phantom.patients = 2;
  options.png = false;
  options.dicom = true;
  write_phantom_folder(folder_, options);
  EXPECT_FALSE(fs::exists(folder_ / "images"));
  const Manifest manifest = read_manifest(folder_, folder_ / "manifest.csv");
  const PhantomImage drawn = draw_phantom(options.phantom, 1, 1);
  const DicomFile file(manifest.rows.at(3).file);
  EXPECT_EQ(file.tag("Modality"), is_ct ? "CT" : "CR");
  EXPECT_EQ(file.tag("SOPClassUID"), is_ct ? "1.2.840.10008.5.1.4.1.1.2" : "1.2.840.10008.5.1.4.1.1.1");
  EXPECT_EQ(file.photometric_interpretation(), "MONOCHROME2");
  EXPECT_EQ(file.tag("PatientID"), drawn.patient);
  EXPECT_THAT(file.tag("SeriesDescription"), ::testing::HasSubstr("SYNTHETIC"));
  EXPECT_THAT(file.tag("ImageComments"), ::testing::HasSubstr("SYNTHETIC"));
  std::string date = drawn.date;
  std::erase(date, '-');
  EXPECT_EQ(file.tag("StudyDate"), date);
  EXPECT_NEAR(std::stod(file.tag(is_ct ? "PixelSpacing" : "ImagerPixelSpacing")),
              drawn.attributes.at("pixel_spacing_mm"), 1e-5);
  const Image image = is_ct ? file.modality_image() : file.display_image();
  ASSERT_EQ(image.pixels().size(), drawn.image.pixels().size());
  for (std::size_t i = 0; i < image.pixels().size(); ++i) {
    ASSERT_NEAR(image.pixels()[i], drawn.image.pixels()[i], is_ct ? 0 : 4e-4);
  }
  if (is_ct) {
    EXPECT_EQ(file.tag("RescaleIntercept"), "-1024");
    EXPECT_EQ(file.stated_window().value().center, -300);
    EXPECT_EQ(file.stated_window().value().width, 1800);
  }
}

TEST_P(PhantomFolder, DicomIdentifiersAreUniqueAndFollowTheStudy) {
  PhantomFolderOptions options = small(GetParam());
  options.phantom.patients = 3;
  options.dicom = true;
  write_phantom_folder(folder_, options);
  std::set<std::string> instances;
  std::map<std::string, std::set<std::string>> names_of_study;
  const Manifest manifest = read_manifest(folder_, folder_ / "manifest_dicom.csv");
  for (const ManifestRow& row : manifest.rows) {
    const DicomFile file(row.file);
    const std::string instance = file.tag("SOPInstanceUID");
    EXPECT_LE(instance.size(), 64U);
    EXPECT_TRUE(instances.insert(instance).second) << instance;
    names_of_study[file.tag("StudyInstanceUID")].insert(value_of(manifest, row, "study"));
  }
  EXPECT_EQ(names_of_study.size(), GetParam() == PhantomKind::chest_ct ? 3U : 6U);
  for (const auto& [uid, names] : names_of_study) EXPECT_EQ(names.size(), 1U) << uid;
}

TEST(PhantomFolderErrors, ReportsEveryImageOneAtATime) {
  const TemporaryFolder temporary;
  PhantomFolderOptions options = small(PhantomKind::chest_ct);
  options.threads = 4;
  std::atomic<int> inside{0};
  std::vector<std::size_t> reports;
  write_phantom_folder(temporary / "phantoms", options, [&](const ProgressReport& report) {
    EXPECT_EQ(++inside, 1);
    EXPECT_EQ(report.total, 40U);
    reports.push_back(report.done);
    --inside;
    return true;
  });
  ASSERT_EQ(reports.size(), 40U);
  for (std::size_t i = 0; i < reports.size(); ++i) EXPECT_EQ(reports[i], i + 1);
}

TEST(PhantomFolderErrors, CancellingLeavesNothing) {
  const TemporaryFolder temporary;
  const fs::path folder = temporary / "phantoms";
  int calls = 0;
  const Progress cancel = [&](const ProgressReport& report) {
    ++calls;
    EXPECT_TRUE(fs::exists(folder / "images"));
    return report.done < 5;
  };
  EXPECT_ERROR(write_phantom_folder(folder, small(PhantomKind::chest_ct), cancel), cancelled, "after 5");
  EXPECT_EQ(calls, 5) << "nobody is asked again who has said no";
  EXPECT_FALSE(fs::exists(folder));

  fs::create_directory(folder);  // an empty folder that was there stays, empty
  EXPECT_ERROR(write_phantom_folder(folder, small(PhantomKind::chest_ct), cancel), cancelled, "cancelled");
  EXPECT_TRUE(fs::is_empty(folder));
}

TEST(PhantomFolderErrors, AFailedWriteLeavesNothing) {
  const TemporaryFolder temporary;
  const fs::path folder = temporary / "phantoms";
  PhantomFolderOptions options = small(PhantomKind::chest_xray);
  options.threads = 1;  // nobody writes while the folder is taken away
  const Progress take_away = [&](const ProgressReport&) {
    fs::remove_all(folder / "images");
    return true;
  };
  EXPECT_ERROR(write_phantom_folder(folder, options, take_away), io, "images");
  EXPECT_FALSE(fs::exists(folder));
}

TEST(PhantomFolderErrors, AThrowingCallbackLeavesNothing) {
  const TemporaryFolder temporary;
  const fs::path folder = temporary / "phantoms";
  const Progress give_up = [](const ProgressReport&) -> bool { throw std::runtime_error("given up"); };
  EXPECT_THROW(write_phantom_folder(folder, small(PhantomKind::chest_ct), give_up), std::runtime_error);
  EXPECT_FALSE(fs::exists(folder));
}

TEST(PhantomFolderErrors, RefusesAFolderThatIsNotEmpty) {
  const TemporaryFolder temporary;
  const fs::path folder = temporary / "phantoms";
  fs::create_directory(folder);
  std::ofstream(folder / "mine.txt") << "precious";
  EXPECT_ERROR(write_phantom_folder(folder, small(PhantomKind::chest_ct)), already_exists, "not empty");
  EXPECT_EQ(contents(folder), (std::map<std::string, std::string>{{"mine.txt", "precious"}}));
  EXPECT_ERROR(write_phantom_folder(folder / "mine.txt", small(PhantomKind::chest_ct)), already_exists,
               "not a folder");
  EXPECT_ERROR(write_phantom_folder(folder / "mine.txt" / "below", small(PhantomKind::chest_ct)), io,
               "below");
  EXPECT_EQ(bytes_of(folder / "mine.txt"), "precious");
}

TEST(PhantomFolderErrors, NamesWhatIsOutOfRange) {
  const TemporaryFolder temporary;
  const auto with = [](auto change) {
    PhantomFolderOptions options = small(PhantomKind::chest_ct);
    change(options);
    return options;
  };
  const fs::path folder = temporary / "phantoms";
  EXPECT_ERROR(write_phantom_folder(folder, with([](auto& o) { o.png = false; })), invalid_argument,
               "png or dicom");
  EXPECT_ERROR(write_phantom_folder(folder, with([](auto& o) { o.phantom.patients = 0; })), invalid_argument,
               "patients");
  EXPECT_ERROR(write_phantom_folder(folder, with([](auto& o) { o.train_share = -0.1; })), invalid_argument,
               "train_share must be 0 to 1, got -0.1");
  EXPECT_ERROR(write_phantom_folder(folder, with([](auto& o) { o.database_share = std::nan(""); })),
               invalid_argument, "database_share");
  EXPECT_ERROR(write_phantom_folder(folder, with([](auto& o) { o.database_share = 0.6; })), invalid_argument,
               "at most 1, got 0.5 and 0.6");
  EXPECT_FALSE(fs::exists(folder));
}

}  // namespace
}  // namespace medretrieval::imaging
