#include <algorithm>
#include <cmath>
#include <optional>

#include "base/concat.hpp"
#include "imaging/phantom_datasets/luna16.hpp"
#include "imaging/phantom_dicom.hpp"
#include "imaging/phantom_draw.hpp"

namespace medretrieval::imaging::phantom {

using detail::concat;

namespace {

// Numbers of streams that draw no image.
constexpr std::size_t kScanStream = 2'000'000;
constexpr std::size_t kNoduleStream = 3'000'000;
constexpr std::size_t kMostSlices = 64;
constexpr std::size_t kOthers = 6;
constexpr double kFarFromNodules = 25;  // mm
constexpr int kTries = 200;

/// A place in the patient.
struct Spot {
  Point point;
  double height = 0;  ///< mm towards the feet
};

/// What lies where in the scanner's frame.
class Frame {
 public:
  Frame(const Scan& scan, Point3 shift) : scan_(scan), shift_(shift), grid_(scan.side, scan.placement, 0) {}

  Point3 world(const Spot& spot) const {
    return {spot.point.x + shift_[0], spot.point.y + shift_[1], shift_[2] - spot.height};
  }
  Point3 voxel(const Spot& spot) const {
    const Point pixel = grid_.to_pixel(spot.point);
    const double last = static_cast<double>(scan_.side) - 1;
    const double z = (scan_.first_height - spot.height) / scan_.slice_spacing_mm;
    if (scan_.is_turned) return {last - pixel.x, last - pixel.y, z};
    return {pixel.x, pixel.y, z};
  }
  Point3 first_voxel_world() const {
    const std::size_t corner = scan_.is_turned ? scan_.side - 1 : 0;
    return world({grid_.position(corner, corner), scan_.first_height});
  }

 private:
  const Scan& scan_;
  Point3 shift_;
  Canvas grid_;
};

/// A second nodule for some patients, away from the first.
std::optional<Nodule> draw_second_nodule(const PhantomOptions& drawing, std::size_t patient,
                                         const CtPatient& drawn) {
  detail::Random random = image_stream(drawing, patient, kNoduleStream);
  if (random.uniform() > 0.4) return std::nullopt;
  const NoduleRatings ratings = draw_ratings(random);
  const ChestSlice slice(drawn.chest, 0);
  for (int i = 0; i < kTries; ++i) {
    Nodule nodule = draw_nodule(ratings, slice, random);
    const Point apart = nodule.outline.centre - drawn.nodule.outline.centre;
    if (length(apart) > 2 * kFarFromNodules) return nodule;
  }
  return std::nullopt;
}

/// Places in the lungs that are no nodules.
std::vector<Spot> draw_others(const Scan& scan, detail::Random& random) {
  std::vector<Spot> others;
  for (int i = 0; i < kTries && others.size() < kOthers; ++i) {
    const Point point{between(random, -130, 130), between(random, -95, 95)};
    const std::size_t slice = 1 + random.below(scan.slices - 2);
    const bool is_far = std::all_of(scan.nodules.begin(), scan.nodules.end(), [&](const auto& found) {
      return length(found.nodule.outline.centre - point) > kFarFromNodules;
    });
    const double height = scan.height_of(slice);
    if (is_far && ChestSlice(scan.patient.chest, height).lung_depth(point) > 4) {
      others.push_back({point, height});
    }
  }
  return others;
}

/// The middle of the nodules lies near the middle slice, so that its neighbours are in the scan.
void place_slices(std::size_t slices, Scan& scan, detail::Random& random) {
  constexpr double kSpacings[] = {1.25, 1.5, 2, 2.5};
  scan.slices = slices;
  scan.slice_spacing_mm = kSpacings[random.below(4)];
  const double middle = (static_cast<double>(slices) - 1) / 2 + between(random, -0.4, 0.4);
  scan.first_height = middle * scan.slice_spacing_mm;
}

}  // namespace

std::size_t scan_count(std::size_t patient) {
  return patient % 4 == 3 ? 2 : 1;
}

Scan draw_scan(const PhantomOptions& drawing, std::size_t slices, std::size_t patient, std::size_t number) {
  detail::Random random = image_stream(drawing, patient, kScanStream + number);
  Scan scan;
  scan.patient = draw_ct_patient(drawing, patient);
  scan.series = concat(uids_of(drawing, patient, 0).study, '.', 10 + number);
  scan.side = drawing.side;
  place_slices(slices, scan, random);
  scan.placement = {kMiddleOfSlice + Point{between(random, -8, 8), between(random, -8, 8)},
                    kWholeSliceMm * between(random, 0.95, 1.05),
                    {1, 0}};
  scan.is_turned = random.below(4) == 0;
  scan.noise = scan.patient.noise * between(random, 0.85, 1.15);
  const Point3 shift = {between(random, -20, 20), between(random, -190, -150), between(random, -300, -50)};
  const Frame frame(scan, shift);
  scan.offset = frame.first_voxel_world();
  const auto add = [&](const Nodule& nodule) {
    const Spot spot{nodule.outline.centre, 0};
    scan.nodules.push_back({nodule, frame.voxel(spot), frame.world(spot)});
  };
  add(scan.patient.nodule);
  if (const auto second = draw_second_nodule(drawing, patient, scan.patient)) add(*second);
  for (const Spot& spot : draw_others(scan, random)) scan.others.push_back(frame.world(spot));
  return scan;
}

Image paint_scan_slice(const PhantomOptions& drawing, const Scan& scan, std::size_t patient,
                       std::size_t number, std::size_t slice) {
  detail::Random random = image_stream(drawing, patient, number * kMostSlices + slice);
  CtScan taken;
  taken.height = scan.height_of(slice);
  taken.placement = scan.placement;
  taken.noise = scan.noise;
  taken.with_nodule = false;
  const Canvas canvas = paint_ct_slice(scan.patient, taken, scan.side, random, [&](Canvas& hounsfield) {
    for (const ScannedNodule& found : scan.nodules) {
      if (std::fabs(taken.height) >= half_extent(found.nodule)) continue;
      paint_nodule(found.nodule, taken.height, scan.patient.chest.grain[0], hounsfield);
    }
  });
  Image image = to_ct_image(canvas);
  if (scan.is_turned) std::reverse(image.pixels().begin(), image.pixels().end());
  return image;
}

}  // namespace medretrieval::imaging::phantom
