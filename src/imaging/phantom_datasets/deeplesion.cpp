// DeepLesion: key slices as 16-bit PNG of HU + 32768 in a folder a series, and DL_info.csv.
#include "imaging/phantom_datasets/deeplesion.hpp"

#include <medretrieval/imaging/load.hpp>

#include "base/concat.hpp"
#include "imaging/datasets/dataset_files.hpp"
#include "imaging/phantom_datasets/form.hpp"
#include "imaging/phantom_draw.hpp"

namespace medretrieval::imaging::phantom {

using datasets::padded;
using detail::concat;
namespace fs = std::filesystem;

namespace {

constexpr const char* kTable = "DL_info.csv";
constexpr double kStoredZero = 32768;  // the stored value of 0 HU
constexpr double kStoredWhite = 65535;
constexpr double kSliceSpacingMm = 5;
constexpr std::size_t kSlicesPerStudy = 2;
constexpr std::size_t kPersonStream = 3'000'000;  // the number of a stream that draws no image

/// The names of a key slice.
struct Place {
  std::size_t patient, study, series, slice;

  std::string folder() const {
    return concat(padded(static_cast<std::int64_t>(patient), 6), '_',
                  padded(static_cast<std::int64_t>(study), 2), '_',
                  padded(static_cast<std::int64_t>(series), 2));
  }
  std::string file() const { return padded(static_cast<std::int64_t>(slice), 3) + ".png"; }
};

/// 1 train, 2 validation, 3 test: 70, 15 and 15 % of the patients.
int official_part(std::size_t patient) {
  const std::size_t of_twenty = patient * 7 % 20;  // spread, so that few patients have all three too
  return of_twenty < 14 ? 1 : of_twenty < 17 ? 2 : 3;
}

/// Stored values as shares of white, which write_png turns into whole numbers again.
Image stored_image(const Image& hounsfield) {
  Image stored(hounsfield.width(), hounsfield.height(), PixelUnit::display);
  for (std::size_t i = 0; i < stored.pixels().size(); ++i) {
    stored.pixels()[i] = static_cast<float>((hounsfield.pixels()[i] + kStoredZero) / kStoredWhite);
  }
  return stored;
}

struct Person {
  std::string sex, age;
};

std::string row(const Place& place, const KeySlice& slice, const MeasuredLesion& lesion, const Person& person,
                int part) {
  const auto box = lesion.box();
  const auto side = static_cast<double>(slice.image.width());
  const double location[] = {(box[0] + box[2]) / 2 / side, (box[1] + box[3]) / 2 / side, 0.5};
  const double range[] = {static_cast<double>(place.slice) - 6, static_cast<double>(place.slice) + 6};
  const double spacing[] = {slice.spacing_mm, slice.spacing_mm, kSliceSpacingMm};
  const double size[] = {side, side};
  const double half = slice.window.width / 2;
  const double window[] = {slice.window.center - half, slice.window.center + half};
  // The types of the training part are not published.
  const int type = part == 1 ? -1 : static_cast<int>(lesion.type);
  return table_line({place.folder() + "_" + place.file(), concat(place.patient), concat(place.study),
                     concat(place.series), concat(place.slice), number_list(lesion.ends), number_list(box),
                     number_list(lesion.diameters), number_list(location), concat(type),
                     lesion.is_noisy ? "1" : "0", number_list(range), number_list(spacing), number_list(size),
                     number_list(window), person.sex, person.age, concat(part)});
}

PatientRows write_patient(const fs::path& folder, const PhantomDatasetOptions& options, std::size_t patient) {
  const PhantomOptions drawing = drawing_of(options, PhantomKind::chest_ct, kDeepLesionTag);
  detail::Random random = image_stream(drawing, patient, kPersonStream);
  const Person person = {random.below(2) == 0 ? "F" : "M", concat(30 + random.below(55))};
  PatientRows written;
  written.images = draw_image_count(drawing, patient);
  for (std::size_t index = 0; index < written.images; ++index) {
    const Place place{patient + 1, 1 + index / kSlicesPerStudy, 1,
                      20 + 40 * (index % kSlicesPerStudy) + random.below(40)};
    const KeySlice slice = draw_key_slice(drawing, patient, index);
    const fs::path file = folder / "Images_png" / place.folder() / place.file();
    write_png(stored_image(slice.image), with_folder(file), 16);
    for (const MeasuredLesion& lesion : slice.lesions) {
      written.rows[kTable] += row(place, slice, lesion, person, official_part(patient));
    }
  }
  return written;
}

PhantomDatasetCounts write(const fs::path& folder, const PhantomDatasetOptions& options,
                           const Progress& progress) {
  const char* head =
      "File_name,Patient_index,Study_index,Series_ID,Key_slice_index,Measurement_coordinates,Bounding_boxes,"
      "Lesion_diameters_Pixel_,Normalized_lesion_location,Coarse_lesion_type,Possibly_noisy,Slice_range,"
      "Spacing_mm_px_,Image_size,DICOM_windows,Patient_gender,Patient_age,Train_Val_Test\n";
  return write_form(folder, options, progress, {{kTable, head}},
                    [&](std::size_t patient) { return write_patient(folder, options, patient); });
}

}  // namespace

Form deeplesion_form() {
  return {"deeplesion",
          "key slices of the chest in Images_png/, 16-bit PNG of HU + 32768, and DL_info.csv with lesions "
          "of lung, mediastinum and bone",
          write};
}

}  // namespace medretrieval::imaging::phantom
