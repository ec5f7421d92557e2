#include <algorithm>
#include <cmath>

#include "imaging/phantom_datasets/deeplesion.hpp"
#include "imaging/phantom_draw.hpp"

namespace medretrieval::imaging::phantom {

namespace {

constexpr std::size_t kLesionStream = 2'000'000;  // the number of a stream that draws no image
constexpr double kBoxMargin = 5;                  // pixels

/// A calcified lymph node beside the heart and its vessels, or a dense spot in a vertebra.
LesionPatient::Body draw_body(LesionType type, const ChestSlice& slice, detail::Random& random) {
  const double radius = between(random, 5, 9);
  const double stretch = between(random, 1, 1.3);
  Point centre = slice.vertebra() + Point{between(random, -8, 8), between(random, -3, 3)};
  double hounsfield = between(random, 850, 1100);
  if (type == LesionType::mediastinum) {
    centre = {between(random, -8, 8), between(random, -0.3, 0.1) * slice.half_depth()};
    hounsfield = between(random, 320, 450);
  }
  return {type, ellipse(centre, {radius * stretch, radius / stretch}, unit_vector(random.uniform())),
          hounsfield};
}

MeasuredLesion measure(LesionType type, const Blob& body, double share, const Canvas& canvas) {
  MeasuredLesion lesion;
  lesion.type = type;
  const Point along = share * body.axes.x * body.turn;
  const Point across = share * body.axes.y * Point{-body.turn.y, body.turn.x};
  const Point ends[] = {body.centre - along, body.centre + along, body.centre - across, body.centre + across};
  for (std::size_t i = 0; i < 4; ++i) {
    const Point pixel = canvas.to_pixel(ends[i]);
    lesion.ends[2 * i] = pixel.x;
    lesion.ends[2 * i + 1] = pixel.y;
  }
  lesion.diameters = {2 * length(along) / canvas.spacing(), 2 * length(across) / canvas.spacing()};
  return lesion;
}

void paint(const LesionPatient::Body& body, Canvas& hounsfield) {
  hounsfield.paint_near(body.outline.centre, body.outline.reach() + 1,
                        [&](std::size_t x, std::size_t y, Point point) {
                          double& value = hounsfield.at(x, y);
                          value = mix(value, body.hounsfield, coverage(body.outline.depth(point), 1.0));
                        });
}

Window window_for(LesionType type) {
  switch (type) {
    case LesionType::bone:
      return {400, 1800};
    case LesionType::mediastinum:
      return {50, 450};
    default:
      return {-500, 2000};
  }
}

}  // namespace

std::array<double, 4> MeasuredLesion::box() const {
  std::array<double, 4> box = {ends[0], ends[1], ends[0], ends[1]};
  for (std::size_t i = 0; i < ends.size(); i += 2) {
    box[0] = std::min(box[0], ends[i]);
    box[1] = std::min(box[1], ends[i + 1]);
    box[2] = std::max(box[2], ends[i]);
    box[3] = std::max(box[3], ends[i + 1]);
  }
  return {box[0] - kBoxMargin, box[1] - kBoxMargin, box[2] + kBoxMargin, box[3] + kBoxMargin};
}

LesionPatient draw_lesion_patient(const PhantomOptions& drawing, std::size_t patient) {
  LesionPatient drawn;
  drawn.chest = draw_ct_patient(drawing, patient);
  detail::Random random = image_stream(drawing, patient, kLesionStream);
  const ChestSlice slice(drawn.chest.chest, 0);
  const std::uint64_t first = random.below(3);
  const bool has_two = random.uniform() < 0.3;
  const std::uint64_t second = (first + 1 + random.below(2)) % 3;
  constexpr LesionType kTypes[] = {LesionType::lung, LesionType::mediastinum, LesionType::bone};
  for (const LesionType type : {kTypes[first], kTypes[second]}) {
    if (type == kTypes[second] && !has_two) continue;
    if (type == LesionType::lung) {
      drawn.has_nodule = true;
    } else {
      drawn.bodies.push_back(draw_body(type, slice, random));
    }
  }
  return drawn;
}

KeySlice draw_key_slice(const PhantomOptions& drawing, std::size_t patient, std::size_t index) {
  const LesionPatient drawn = draw_lesion_patient(drawing, patient);
  detail::Random random = image_stream(drawing, patient, index);
  const Nodule& nodule = drawn.chest.nodule;
  CtScan scan;
  scan.height = nodule.ratings.diameter_mm * between(random, -0.2, 0.2);
  scan.placement = {kMiddleOfSlice + Point{between(random, -5, 5), between(random, -5, 5)},
                    kWholeSliceMm * between(random, 0.95, 1.05),
                    {1, 0}};
  scan.noise = drawn.chest.noise * between(random, 0.85, 1.15);
  scan.with_nodule = drawn.has_nodule;
  const Canvas canvas = paint_ct_slice(drawn.chest, scan, drawing.side, random, [&](Canvas& hounsfield) {
    for (const auto& body : drawn.bodies) paint(body, hounsfield);
  });
  KeySlice slice;
  slice.image = to_ct_image(canvas);
  slice.spacing_mm = canvas.spacing();
  if (drawn.has_nodule) {
    const double share = cut_share(nodule, scan.height);
    slice.lesions.push_back(measure(LesionType::lung, nodule.outline, share, canvas));
  }
  for (const auto& body : drawn.bodies) slice.lesions.push_back(measure(body.type, body.outline, 1, canvas));
  // A second one alone, so that without the noisy ones no slice is lost.
  if (slice.lesions.size() > 1) slice.lesions.back().is_noisy = random.uniform() < 0.2;
  slice.window = window_for(slice.lesions.front().type);
  return slice;
}

}  // namespace medretrieval::imaging::phantom
