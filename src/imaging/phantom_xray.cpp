// SYNTHETIC frontal chest radiographs with findings.
#include <algorithm>
#include <cmath>
#include <optional>

#include "imaging/phantom_canvas.hpp"
#include "imaging/phantom_draw.hpp"
#include "imaging/phantom_findings.hpp"
#include "imaging/phantom_thorax.hpp"

namespace medretrieval::imaging::phantom {

namespace {

constexpr double kFieldMm = 330;

/// How one image was taken.
struct Exposure {
  Placement placement;
  double black_cm = 4;    ///< what is shown black, in cm of water
  double white_cm = 25;   ///< what is shown white
  double noise = 0.007;   ///< of the display range
  double collimated = 0;  ///< mm covered at the lower border
};

Exposure draw_exposure(bool lying, detail::Random& random) {
  Exposure exposure;
  exposure.placement.centre = {between(random, -4, 4), between(random, -9, -1)};
  exposure.placement.field_mm = kFieldMm * between(random, 0.97, 1.03);
  exposure.placement.turn = unit_vector(between(random, -0.008, 0.008));
  exposure.black_cm = between(random, 3.8, 4.8) - (lying ? 0.8 : 0);
  exposure.white_cm = between(random, 24, 25.2) + (lying ? 0.6 : 0);
  exposure.noise = between(random, 0.004, 0.010);
  exposure.collimated = random.uniform() < 0.12 ? between(random, 4, 24) : 0;
  return exposure;
}

/// Absorption to grey, with the flattened ends of a film's curve.
double tone(double water_cm, const Exposure& exposure) {
  const double linear = (water_cm - exposure.black_cm) / (exposure.white_cm - exposure.black_cm);
  const double t = std::clamp(0.08 + 0.84 * linear, 0.0, 1.0);
  return mix(t, t * t * (3 - 2 * t), 0.5);
}

Image develop(const Projection& projection, const Exposure& exposure, detail::Random& random) {
  Canvas grey = projection.tissue;
  for (std::size_t i = 0; i < grey.values().size(); ++i) {
    const double lung = projection.lung.values()[i];
    const double vessels = 0.1 * projection.vessels.values()[i] * std::min(lung / 8, 1.0);
    grey.values()[i] = tone(projection.tissue.values()[i] - 0.74 * lung + 2.0 * vessels, exposure);
  }
  add_noise(grey, exposure.noise, 0.6, random);
  Image image(grey.side(), grey.side(), PixelUnit::display);
  const double shown = static_cast<double>(grey.side()) - exposure.collimated / grey.spacing();
  for (std::size_t y = 0; y < grey.side(); ++y) {
    const double open = smooth_step(0.5, -1.5, static_cast<double>(y) - shown);
    for (std::size_t x = 0; x < grey.side(); ++x) {
      image.at(x, y) = static_cast<float>(std::clamp(grey.at(x, y) * open, 0.0, 1.0));
    }
  }
  return image;
}

Pose draw_pose(const Thorax& thorax, const Severities& severities, const FindingCourse& course,
               detail::Random& random) {
  Pose pose;
  pose.lying = random.uniform() < 0.25;
  pose.breath = between(random, -7, 7);
  pose.heart_ratio = thorax.heart_ratio + between(random, -0.01, 0.01) + (pose.lying ? 0.025 : 0);
  const double enlarged = severities[Finding::cardiomegaly];
  if (enlarged > 0) pose.heart_ratio = std::max(pose.heart_ratio, 0.5) + 0.02 + 0.15 * enlarged;
  const double rise = 24 * severities[Finding::atelectasis];
  (course.atelectasis_side > 0 ? pose.left_rise : pose.right_rise) = rise;
  return pose;
}

/// What one image shows.
struct Scene {
  FindingCourse course;
  Thorax thorax;
  Severities severities;
  Pose pose;
  Exposure exposure;
};

Scene draw_scene(const PhantomOptions& options, std::size_t patient, std::size_t index,
                 detail::Random& image_random) {
  detail::Random patient_random = patient_stream(options, patient);
  const Severities first = draw_severities(patient_random);
  Scene scene;
  scene.course = draw_course(patient_random);
  scene.thorax = draw_thorax(patient_random);
  scene.severities = severities_at(first, scene.course, index, image_random);
  scene.pose = draw_pose(scene.thorax, scene.severities, scene.course, image_random);
  scene.exposure = draw_exposure(scene.pose.lying, image_random);
  return scene;
}

/// The pixels that a lump covers; none when it lies outside the image.
std::optional<FindingBox> box_of(const Lump& lump, const Canvas& canvas) {
  const double side = static_cast<double>(canvas.side());
  double left = side;
  double top = side;
  double right = 0;
  double bottom = 0;
  canvas.paint_near(lump.outline.centre, lump.outline.reach(),
                    [&](std::size_t column, std::size_t row, Point point) {
                      if (lump.outline.depth(point) <= 0) return;
                      const auto x = static_cast<double>(column);
                      const auto y = static_cast<double>(row);
                      left = std::min(left, x);
                      top = std::min(top, y);
                      right = std::max(right, x + 1);
                      bottom = std::max(bottom, y + 1);
                    });
  if (left >= right) return std::nullopt;
  const std::string label(kFindings[static_cast<std::size_t>(lump.finding)].label);
  return FindingBox{label, left, top, right - left, bottom - top};
}

}  // namespace

std::vector<FindingBox> chest_xray_boxes(const PhantomOptions& options, std::size_t patient,
                                         std::size_t index) {
  detail::Random image_random = image_stream(options, patient, index);
  const Scene scene = draw_scene(options, patient, index, image_random);
  const Canvas canvas(drawn_side(options), scene.exposure.placement, 0);
  const ThoraxOutline outline(scene.thorax, scene.pose);
  std::vector<FindingBox> boxes;
  for (const Lump& lump : lumps_of(scene.severities, scene.course, outline)) {
    if (const auto box = box_of(lump, canvas)) boxes.push_back(*box);
  }
  return boxes;
}

PhantomImage draw_chest_xray(const PhantomOptions& options, std::size_t patient, std::size_t index) {
  detail::Random image_random = image_stream(options, patient, index);
  const Scene scene = draw_scene(options, patient, index, image_random);
  const auto& [course, thorax, severities, pose, exposure] = scene;
  const Canvas empty(drawn_side(options), exposure.placement, 0);
  Projection projection{empty, empty, empty};
  const ThoraxOutline outline(thorax, pose);
  outline.paint(projection);
  paint_skeleton(thorax, projection);
  PhantomImage drawn;
  drawn.mask = Image(empty.side(), empty.side(), PixelUnit::display);
  paint_findings(severities, course, outline, projection, drawn.mask);

  drawn.image = develop(projection, exposure, image_random);
  drawn.labels = finding_labels(severities);
  for (std::size_t i = 0; i < kFindings.size(); ++i) {
    drawn.attributes["severity_" + std::string(kFindings[i].attribute)] = severities.values[i];
  }
  drawn.attributes["cardiothoracic_ratio"] = pose.heart_ratio;
  drawn.attributes["age"] = std::floor(thorax.age + study_day(options, patient, index).since_first / 365.25);
  drawn.attributes["female"] = thorax.female ? 1 : 0;
  drawn.attributes["view_ap"] = pose.lying ? 1 : 0;
  drawn.attributes["pixel_spacing_mm"] = projection.tissue.spacing();
  return drawn;
}

}  // namespace medretrieval::imaging::phantom
