#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <medretrieval/imaging/dicom.hpp>
#include <medretrieval/imaging/import.hpp>
#include <medretrieval/imaging/lidc.hpp>
#include <medretrieval/imaging/manifest.hpp>
#include <medretrieval/imaging/nodule_region.hpp>
#include <medretrieval/imaging/phantom_lidc.hpp>
#include <set>
#include <string>
#include <vector>

#include "support/expect_error.hpp"
#include "support/make_images.hpp"
#include "support/test_data.hpp"

namespace medretrieval::imaging {
namespace {

namespace fs = std::filesystem;

PhantomLidcOptions few(std::size_t patients) {
  PhantomLidcOptions options;
  options.patients = patients;
  options.slices = 5;
  options.side = 128;
  return options;
}

std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path().lexically_relative(folder));
  }
  std::sort(files.begin(), files.end());
  return files;
}

TEST(PhantomLidc, ASeriesAndItsReadingsForEveryPatient) {
  const testing::TemporaryFolder folder;
  write_phantom_lidc_idri(folder / "data", few(4));
  std::set<std::string> series;
  std::size_t slices = 0;
  for (const fs::path& path : files_below(folder / "data")) {
    const fs::path file = folder / "data" / path;
    EXPECT_THAT(path.string(), ::testing::StartsWith("SYNTHETIC-LIDC-00000"));
    if (path.extension() == ".xml") {
      const LidcAnnotations annotations = read_lidc_annotations(file);
      EXPECT_EQ(annotations.readings.size(), 4U);
      EXPECT_EQ(annotations.series_uid, path.parent_path().filename());
      const auto groups = group_lidc_nodules(annotations);
      ASSERT_EQ(groups.size(), 1U) << "all outlines are of the one nodule";
      EXPECT_TRUE(groups[0].malignancy.has_value());
      series.insert(annotations.series_uid);
    } else {
      const DicomFile slice(file);
      EXPECT_EQ(slice.tag("Modality"), "CT");
      EXPECT_EQ(slice.tag("PatientName"), "SYNTHETIC^PHANTOM");
      EXPECT_EQ(slice.tag("SeriesInstanceUID"), path.parent_path().filename());
      ++slices;
    }
  }
  EXPECT_EQ(series.size(), 4U);
  EXPECT_EQ(slices, 20U);
}

TEST(PhantomLidc, TheSameOptionsGiveTheSameBytesAtAnyNumberOfThreads) {
  const testing::TemporaryFolder folder;
  PhantomLidcOptions options = few(3);
  write_phantom_lidc_idri(folder / "a", options);
  options.threads = 1;
  write_phantom_lidc_idri(folder / "b", options);
  const auto files = files_below(folder / "a");
  EXPECT_EQ(files, files_below(folder / "b"));
  for (const fs::path& file : files) {
    EXPECT_EQ(testing::read_bytes(folder / "a" / file), testing::read_bytes(folder / "b" / file)) << file;
  }
}

TEST(PhantomLidc, OutlinesSurroundTheNodule) {
  const testing::TemporaryFolder folder;
  write_phantom_lidc_idri(folder / "data", few(6));
  for (const fs::path& path : files_below(folder / "data")) {
    if (path.extension() != ".xml") continue;
    const fs::path series = folder / "data" / path.parent_path();
    const LidcAnnotations annotations = read_lidc_annotations(series / path.filename());
    const Image middle = DicomFile(series / "1-003.dcm").modality_image();
    bool outlined = false;
    for (const LidcReading& reading : annotations.readings) {
      for (const LidcNodule& nodule : reading.nodules) {
        for (const LidcContour& contour : nodule.contours) {
          require_inside(contour, 128, 128);
          if (nodule.is_contoured() && contour.z == 0) outlined = true;
        }
      }
    }
    EXPECT_TRUE(outlined) << "the middle slice shows the nodule";
    Explanation steps;
    lung_input(middle, {.lung = {.pixel_spacing_mm = 360.0 / 128}}, &steps);
    const auto lungs = std::count_if(steps.back().image.pixels().begin(), steps.back().image.pixels().end(),
                                     [](float value) { return value > 0; });
    EXPECT_GT(lungs, 128 * 128 / 20);
    EXPECT_LT(lungs, 128 * 128 / 2);
  }
}

TEST(PhantomLidc, ImportedByPatientWithBothClasses) {
  const testing::TemporaryFolder folder;
  write_phantom_lidc_idri(folder / "data", few(24));
  ImportOptions options;
  options.parameters = {{"slices", std::string("middle")}, {"drop_undecided", true}};
  const ImportReport report = import_dataset("lidc-idri", folder / "data", folder / "out", options);
  EXPECT_GT(report.images, 12U);
  EXPECT_EQ(report.images, report.patients) << "one nodule a patient, one slice a nodule";
  std::map<std::string, std::set<std::string>> splits;
  std::set<std::string> labels;
  for (const ManifestRow& row : read_manifest(folder / "out", folder / "out/manifest.csv").rows) {
    splits[row.patient].insert(row.split);
    labels.insert(row.labels.begin(), row.labels.end());
  }
  EXPECT_EQ(labels, (std::set<std::string>{"benign", "malignant"}));
  for (const auto& [patient, of_patient] : splits) EXPECT_EQ(of_patient.size(), 1U) << patient;
}

TEST(PhantomLidc, RefusesWhatIsOutOfRange) {
  const testing::TemporaryFolder folder;
  const auto refused = [&](auto change, const std::string& text) {
    PhantomLidcOptions options = few(1);
    change(options);
    EXPECT_ERROR(write_phantom_lidc_idri(folder / "data", options), invalid_argument, text);
  };
  refused([](PhantomLidcOptions& o) { o.patients = 0; }, "patients must be 1 to 100000, got 0");
  refused([](PhantomLidcOptions& o) { o.slices = 2; }, "slices must be 3 to 64, got 2");
  refused([](PhantomLidcOptions& o) { o.side = 63; }, "side must be 64 to 1024, got 63");
  refused([](PhantomLidcOptions& o) { o.slice_spacing_mm = 0; }, "slice_spacing_mm must be 0.5 to 10, got 0");
  EXPECT_FALSE(fs::exists(folder / "data"));
  EXPECT_ERROR(write_phantom_lidc_idri(folder.path() / "data", few(1), [](const auto&) { return false; }),
               cancelled, "cancelled");
  EXPECT_FALSE(fs::exists(folder / "data"));
}

}  // namespace
}  // namespace medretrieval::imaging
