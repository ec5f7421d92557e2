// SYNTHETIC axial chest CT slices around one lung nodule.
#include <algorithm>
#include <cmath>

#include "imaging/phantom_canvas.hpp"
#include "imaging/phantom_chest_slice.hpp"
#include "imaging/phantom_draw.hpp"
#include "imaging/phantom_nodule.hpp"

namespace medretrieval::imaging::phantom {

namespace {

constexpr double kWholeSliceMm = 360;
constexpr double kLowest = -1024;  // HU of a 12-bit scanner
constexpr double kHighest = 3071;

/// What changes from image to image of a patient.
struct Scan {
  double height = 0;  ///< mm off the middle of the nodule
  Placement placement;
  double noise = 20;  ///< HU
};

Scan draw_scan(const PhantomOptions& options, const Nodule& nodule, double patient_noise,
               detail::Random& random) {
  Scan scan;
  scan.height = nodule.ratings.diameter_mm * between(random, -0.2, 0.2);
  const Point shift{between(random, -1, 1), between(random, -1, 1)};
  const bool whole = options.region_mm == 0;
  scan.placement.centre = whole ? Point{0, 8} + shift : nodule.outline.centre + shift;
  scan.placement.field_mm = whole ? kWholeSliceMm : options.region_mm;
  scan.placement.turn = unit_vector(between(random, -0.015, 0.015));
  scan.noise = patient_noise * between(random, 0.85, 1.15);
  return scan;
}

Image to_image(const Canvas& canvas) {
  Image image(canvas.side(), canvas.side(), PixelUnit::hounsfield);
  std::transform(canvas.values().begin(), canvas.values().end(), image.pixels().begin(), [](double value) {
    return static_cast<float>(std::nearbyint(std::clamp(value, kLowest, kHighest)));
  });
  return image;
}

}  // namespace

PhantomImage draw_chest_ct(const PhantomOptions& options, std::size_t patient, std::size_t index) {
  detail::Random patient_random = patient_stream(options, patient);
  const NoduleRatings ratings = draw_ratings(patient_random);
  const Chest chest = draw_chest(patient_random);
  const Nodule nodule = draw_nodule(ratings, ChestSlice(chest, 0), patient_random);
  const double patient_noise = between(patient_random, 8, 22);

  detail::Random image_random = image_stream(options, patient, index);
  const Scan scan = draw_scan(options, nodule, patient_noise, image_random);
  Canvas hounsfield(drawn_side(options), scan.placement, kLowest);
  Canvas lung(drawn_side(options), scan.placement, 0);
  ChestSlice(chest, scan.height).paint(hounsfield, lung);
  paint_nodule(nodule, scan.height, chest.grain[0], hounsfield);
  blur(hounsfield, 0.4);
  add_noise(hounsfield, scan.noise, 0.5, image_random);

  const Point nodule_pixel = hounsfield.to_pixel(nodule.outline.centre);
  PhantomImage drawn;
  drawn.image = to_image(hounsfield);
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
