// SYNTHETIC axial chest CT slices around one lung nodule.
#include "imaging/phantom_ct.hpp"

#include <algorithm>
#include <cmath>

#include "imaging/phantom_draw.hpp"

namespace medretrieval::imaging::phantom {

namespace {

constexpr double kLowest = -1024;  // HU of a 12-bit scanner
constexpr double kHighest = 3071;

/// What changes from image to image of a patient.
CtScan draw_scan(const PhantomOptions& options, const CtPatient& patient, detail::Random& random) {
  CtScan scan;
  scan.height = patient.ratings.diameter_mm * between(random, -0.2, 0.2);
  const Point shift{between(random, -1, 1), between(random, -1, 1)};
  const bool whole = options.region_mm == 0;
  scan.placement.centre = whole ? kMiddleOfSlice + shift : patient.nodule.outline.centre + shift;
  scan.placement.field_mm = whole ? kWholeSliceMm : options.region_mm;
  scan.placement.turn = unit_vector(between(random, -0.015, 0.015));
  scan.noise = patient.noise * between(random, 0.85, 1.15);
  return scan;
}

}  // namespace

CtPatient draw_ct_patient(const PhantomOptions& options, std::size_t patient) {
  detail::Random random = patient_stream(options, patient);
  CtPatient drawn;
  drawn.ratings = draw_ratings(random);
  drawn.chest = draw_chest(random);
  drawn.nodule = draw_nodule(drawn.ratings, ChestSlice(drawn.chest, 0), random);
  drawn.noise = between(random, 8, 22);
  return drawn;
}

Canvas paint_ct_slice(const CtPatient& patient, const CtScan& scan, std::size_t side, detail::Random& random,
                      const std::function<void(Canvas&)>& paint_more) {
  Canvas hounsfield(side, scan.placement, kLowest);
  Canvas lung(side, scan.placement, 0);
  ChestSlice(patient.chest, scan.height).paint(hounsfield, lung);
  if (scan.with_nodule) paint_nodule(patient.nodule, scan.height, patient.chest.grain[0], hounsfield);
  if (paint_more) paint_more(hounsfield);
  blur(hounsfield, 0.4);
  add_noise(hounsfield, scan.noise, 0.5, random);
  return hounsfield;
}

Image to_ct_image(const Canvas& canvas) {
  Image image(canvas.side(), canvas.side(), PixelUnit::hounsfield);
  std::transform(canvas.values().begin(), canvas.values().end(), image.pixels().begin(), [](double value) {
    return static_cast<float>(std::nearbyint(std::clamp(value, kLowest, kHighest)));
  });
  return image;
}

PhantomImage draw_chest_ct(const PhantomOptions& options, std::size_t patient, std::size_t index) {
  const CtPatient drawn_patient = draw_ct_patient(options, patient);
  const Nodule& nodule = drawn_patient.nodule;
  const NoduleRatings& ratings = drawn_patient.ratings;
  detail::Random random = image_stream(options, patient, index);
  CtScan scan = draw_scan(options, drawn_patient, random);
  if (options.offset_mm > 0) {
    detail::Random off = offset_stream(options, patient, index);
    const double reach = options.offset_mm;
    scan.placement.centre =
        scan.placement.centre + Point{between(off, -reach, reach), between(off, -reach, reach)};
  }
  const Canvas hounsfield = paint_ct_slice(drawn_patient, scan, drawn_side(options), random);

  const Point nodule_pixel = hounsfield.to_pixel(nodule.outline.centre);
  PhantomImage drawn;
  drawn.image = to_ct_image(hounsfield);
  drawn.mask = nodule_mask(nodule, scan.height, drawn_patient.chest.grain[0], hounsfield);
  drawn.labels = {ratings.malignancy < 3 ? "benign" : "malignant"};
  drawn.attributes = {{"malignancy", ratings.malignancy},
                      {"diameter_mm", ratings.diameter_mm},
                      {"margin", ratings.margin},
                      {"lobulation", ratings.lobulation},
                      {"spiculation", ratings.spiculation},
                      {"texture", ratings.texture},
                      {"calcification", ratings.calcification},
                      {"nodule_x", nodule_pixel.x},
                      {"nodule_y", nodule_pixel.y},
                      {"slice_offset_mm", scan.height},
                      {"noise_hu", scan.noise},
                      {"pixel_spacing_mm", hounsfield.spacing()}};
  return drawn;
}

}  // namespace medretrieval::imaging::phantom
