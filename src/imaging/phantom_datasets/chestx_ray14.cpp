// NIH ChestX-ray14: radiographs in twelve folders, the table of 2020, boxes and the official lists.
#include <medretrieval/imaging/load.hpp>

#include "base/concat.hpp"
#include "imaging/datasets/dataset_files.hpp"
#include "imaging/phantom_datasets/form.hpp"
#include "imaging/phantom_draw.hpp"

namespace medretrieval::imaging::phantom {

using datasets::padded;
using detail::concat;

namespace {

constexpr std::uint64_t kTag = 0x4e494831;
constexpr std::size_t kFolders = 12;
constexpr std::size_t kTestEvery = 5;    // of so many patients the last is in the test list
constexpr double kPublishedSide = 1024;  // the boxes are in pixels of the published images
constexpr double kOriginalSide = 2048;   // of the detector that the table states
constexpr const char* kEntries = "Data_Entry_2017_v2020.csv";
constexpr const char* kBoxes = "BBox_List_2017.csv";
constexpr const char* kTraining = "train_val_list.txt";
constexpr const char* kTest = "test_list.txt";

std::string entry_row(const std::string& image, std::size_t patient, const PhantomImage& drawn,
                      const PhantomDatasetOptions& options) {
  std::string findings;
  for (const std::string& label : drawn.labels) datasets::append_to_list(findings, "|", label);
  const auto& truth = drawn.attributes;
  const double spacing = truth.at("pixel_spacing_mm") * static_cast<double>(options.side) / kOriginalSide;
  return table_line({image, findings, concat(drawn.index), concat(patient + 1), concat(truth.at("age")),
                     truth.at("female") == 1 ? "F" : "M", truth.at("view_ap") == 1 ? "AP" : "PA",
                     concat(kOriginalSide), concat(kOriginalSide), long_number(spacing),
                     long_number(spacing)});
}

std::string box_row(const std::string& image, const FindingBox& box, std::size_t side) {
  const double scale = kPublishedSide / static_cast<double>(side);
  return table_line({image, box.label, long_number(scale * box.left), long_number(scale * box.top),
                     long_number(scale * box.width), long_number(scale * box.height)});
}

PatientRows write_patient(const std::filesystem::path& folder, const PhantomDatasetOptions& options,
                          std::size_t patient) {
  const PhantomOptions drawing = drawing_of(options, PhantomKind::chest_xray, kTag);
  const std::size_t part = 1 + patient * kFolders / options.patients;
  const auto images = folder / ("images_" + padded(static_cast<std::int64_t>(part), 3)) / "images";
  PatientRows written;
  written.images = draw_image_count(drawing, patient);
  for (std::size_t index = 0; index < written.images; ++index) {
    const PhantomImage drawn = draw_phantom(drawing, patient, index);
    const std::string name = concat(padded(static_cast<std::int64_t>(patient + 1), 8), '_',
                                    padded(static_cast<std::int64_t>(index), 3), ".png");
    write_png(drawn.image, with_folder(images / name));
    written.rows[kEntries] += entry_row(name, patient, drawn, options);
    written.rows[patient % kTestEvery == kTestEvery - 1 ? kTest : kTraining] += name + "\n";
    for (const FindingBox& box : chest_xray_boxes(drawing, patient, index)) {
      written.rows[kBoxes] += box_row(name, box, options.side);
    }
  }
  return written;
}

PhantomDatasetCounts write(const std::filesystem::path& folder, const PhantomDatasetOptions& options,
                           const Progress& progress) {
  const Tables heads = {
      {kEntries,
       "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
       "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]\n"},
      {kBoxes, "Image Index,Finding Label,Bbox [x,y,w,h],,,\n"},
      {kTraining, ""},
      {kTest, ""}};
  return write_form(folder, options, progress, heads,
                    [&](std::size_t patient) { return write_patient(folder, options, patient); });
}

}  // namespace

Form chestx_ray14_form() {
  return {"chestx-ray14",
          "radiographs in images_001/images/ to images_012/images/, Data_Entry_2017_v2020.csv, "
          "BBox_List_2017.csv (nodules and masses), train_val_list.txt and test_list.txt",
          write};
}

}  // namespace medretrieval::imaging::phantom
