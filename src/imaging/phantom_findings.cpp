#include "imaging/phantom_findings.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace medretrieval::imaging::phantom {

namespace {

constexpr double kLeastSeverity = 0.2;
constexpr std::size_t kNeverHealed = 64;  // more images a patient does not have
constexpr double kLungCm = 0.5;           // less is not called lung

Point draw_site(detail::Random& random, double highest, double lowest) {
  const double side = random_side(random);
  const double beside = between(random, 0.42, 0.72);
  return {side * beside, between(random, highest, lowest)};
}

Blob draw_lump(detail::Random& random) {
  const double stretch = between(random, 1, 1.2);
  Blob lump = ellipse({0, 0}, {stretch, 1 / stretch}, unit_vector(random.uniform()));
  lump.harmonics = 5;
  for (std::size_t k = 1; k < lump.harmonics; ++k) {
    lump.cosine[k] = between(random, -0.06, 0.06);
    lump.sine[k] = between(random, -0.06, 0.06);
  }
  return lump;
}

Point place(Point site, const ThoraxOutline& outline) {
  const double x = site.x * outline.thorax().half_width;
  return {x, mix(-95, outline.diaphragm(x), site.y)};
}

/// Fills lung with something as dense as water: a share of 1 leaves no air.
void fill_lung(Projection& projection, std::size_t x, std::size_t y, double share) {
  projection.lung.at(x, y) *= 1 - share;
  projection.vessels.at(x, y) *= 1 - share;
}

/// The pixels where a finding is.
class Places {
 public:
  Places(const Canvas& lung, Image& mask) : lung_(lung), mask_(mask) {}

  void add(std::size_t x, std::size_t y) { mask_.at(x, y) = 1; }
  /// A finding that takes a share of the lung.
  void add_share(std::size_t x, std::size_t y, double share) {
    if (share >= 0.5 && lung_.at(x, y) >= kLungCm) add(x, y);
  }

 private:
  Canvas lung_;  // before any finding
  Image& mask_;
};

/// A nodule or a mass: a solid, somewhat flat body.
void paint_lump(const Lump& lump, Projection& projection, Places& places) {
  const Blob& body = lump.outline;
  projection.tissue.paint_near(body.centre, body.reach(), [&](std::size_t x, std::size_t y, Point point) {
    const double depth = body.depth(point) / lump.radius;
    const double thickness = 0.16 * lump.radius * smooth_step(0, 0.2, depth) * smooth_step(-0.5, 0.9, depth);
    projection.tissue.at(x, y) += std::min(thickness, 0.7 * projection.lung.at(x, y));
    if (depth > 0) places.add(x, y);
  });
}

/// Fluid settles at the base and climbs along the wall.
void paint_effusion(double severity, double side, const ThoraxOutline& outline, Projection& projection,
                    Places& places) {
  const double width = outline.thorax().half_width;
  const double bottom = outline.angle_bottom(side);
  const double height = 30 + 125 * severity;
  projection.lung.paint_all([&](std::size_t x, std::size_t y, Point point) {
    if (point.x * side <= 0) return;
    const double across = 2 * point.x * side / width - 1;  // -1 in the middle of the body, 1 at the wall
    const double surface = bottom - height * (0.62 + 0.38 * across * across * (across > 0 ? 1.2 : 0.3));
    const double share = coverage(point.y - surface, 6 + 5 * severity);
    fill_lung(projection, x, y, 0.93 * share);
    places.add_share(x, y, share);
  });
}

/// Air between lung and wall: no vessels there, and a thin white line where the lung ends.
void paint_pneumothorax(double severity, double side, const ThoraxOutline& outline, Projection& projection,
                        Places& places) {
  const double gap = 10 + 42 * severity;
  projection.lung.paint_all([&](std::size_t x, std::size_t y, Point point) {
    if (point.x * side <= 0 || projection.lung.at(x, y) <= 0) return;
    const double lung_edge = outline.cage_depth(point) - gap * smooth_step(90, -70, point.y);
    const double free_air = coverage(-lung_edge, 1.0);
    projection.vessels.at(x, y) *= 1 - free_air;
    projection.lung.at(x, y) *= mix(1 - 0.2 * severity, 1.22, free_air);
    projection.tissue.at(x, y) += 0.55 * smooth_step(1.8, 0.4, std::abs(lung_edge));
    places.add_share(x, y, free_air);
  });
}

void paint_consolidation(double severity, const FindingCourse& course, const ThoraxOutline& outline,
                         Projection& projection, Places& places) {
  const Point centre = place(course.consolidation, outline);
  const double reach = 45 + 45 * severity;
  projection.lung.paint_near(centre, 1.3 * reach, [&](std::size_t x, std::size_t y, Point point) {
    if (point.x * centre.x <= 0) return;
    const Point offset = point - centre;
    const double envelope = 1 - dot(offset, offset) / (reach * reach * 1.6);
    if (envelope <= 0) return;
    const double patchy = envelope + 0.4 * course.patches[0].at(point) + 0.15 * course.patches[1].at(point);
    const double share = smooth_step(0, 1.1, patchy);
    fill_lung(projection, x, y, (0.35 + 0.5 * severity) * share);
    places.add_share(x, y, share);
  });
}

/// Plates of collapsed lung above a raised diaphragm.
void paint_atelectasis(double severity, const FindingCourse& course, const ThoraxOutline& outline,
                       Projection& projection, Places& places) {
  const double side = course.atelectasis_side;
  const double width = outline.thorax().half_width;
  const double base = outline.diaphragm(side * 0.5 * width);
  const auto at = [&](double across, double above) { return Point{side * across * width, base - above}; };
  const std::array<Stroke, 2> plates = {Stroke{at(0.3, 26), at(0.84, 8), 2 + 2.5 * severity, 1 + severity},
                                        Stroke{at(0.42, 46), at(0.8, 37), 1.5 + 2 * severity, 1 + severity}};
  for (const Stroke& plate : plates) {
    projection.tissue.paint_along(
        plate.from, plate.to, plate.radius_from + 4, [&](std::size_t x, std::size_t y, Point point) {
          const Stroke::Nearest nearest = plate.nearest(point);
          const double uneven = course.patches[1].at(point);
          const double share = coverage(nearest.radius - nearest.distance + uneven, 2.0);
          const double thickness = (0.7 + 1.5 * severity + 0.4 * uneven) * share;
          projection.tissue.at(x, y) += std::min(thickness, projection.lung.at(x, y));
          places.add_share(x, y, share);
        });
  }
  projection.lung.paint_all([&](std::size_t x, std::size_t y, Point point) {
    if (point.x * side <= 0) return;
    fill_lung(projection, x, y, 0.3 * severity * smooth_step(base - 70, base, point.y));
  });
}

}  // namespace

Severities draw_severities(detail::Random& random) {
  Severities severities;
  if (random.below(2) == 0) return severities;
  const double many = random.uniform();
  const std::size_t count = many < 0.6 ? 1 : many < 0.9 ? 2 : 3;
  for (const std::size_t chosen : detail::sample_without_replacement(kFindings.size(), count, random)) {
    severities.values[chosen] = between(random, 0.3, 1);
  }
  return severities;
}

FindingCourse draw_course(detail::Random& random) {
  FindingCourse course;
  course.effusion_side = random_side(random);
  course.effusion_both = random.uniform() < 0.45;
  course.pneumothorax_side = random_side(random);
  course.atelectasis_side = random_side(random);
  course.nodule = draw_site(random, 0.1, 0.85);
  course.mass = draw_site(random, 0.2, 0.7);
  course.lump = draw_lump(random);
  course.consolidation = draw_site(random, 0.25, 0.9);
  course.patches.emplace_back(random, 17.0);
  course.patches.emplace_back(random, 7.0);
  for (std::size_t& image : course.healed_at) {
    image = 1;
    while (image < kNeverHealed && random.uniform() > 0.08) ++image;
  }
  course.healed_at[static_cast<std::size_t>(Finding::cardiomegaly)] = kNeverHealed;
  return course;
}

Severities severities_at(const Severities& first, const FindingCourse& course, std::size_t index,
                         detail::Random& random) {
  Severities now;
  for (std::size_t i = 0; i < now.values.size(); ++i) {
    const double drift = 0.12 * random.normal();
    const bool present = first.values[i] > 0 && index < course.healed_at[i];
    if (present) now.values[i] = std::clamp(first.values[i] + drift, kLeastSeverity, 1.0);
  }
  return now;
}

std::vector<std::string> finding_labels(const Severities& severities) {
  std::vector<std::string> labels;
  for (std::size_t i = 0; i < severities.values.size(); ++i) {
    if (severities.values[i] > 0) labels.emplace_back(kFindings[i].label);
  }
  if (labels.empty()) labels.emplace_back("No Finding");
  return labels;
}

std::vector<Lump> lumps_of(const Severities& severities, const FindingCourse& course,
                           const ThoraxOutline& outline) {
  std::vector<Lump> lumps;
  const auto add = [&](Finding finding, Point site, double smallest, double growth) {
    if (severities[finding] <= 0) return;
    Lump lump{finding, course.lump, smallest + growth * severities[finding]};
    lump.outline.centre = place(site, outline);
    lump.outline.axes = lump.radius * course.lump.axes;
    lumps.push_back(lump);
  };
  add(Finding::nodule, course.nodule, 5, 9);
  add(Finding::mass, course.mass, 17, 26);
  return lumps;
}

void paint_findings(const Severities& severities, const FindingCourse& course, const ThoraxOutline& outline,
                    Projection& projection, Image& mask) {
  Places places(projection.lung, mask);
  const auto present = [&](Finding finding) { return severities[finding] > 0; };
  if (present(Finding::consolidation)) {
    paint_consolidation(severities[Finding::consolidation], course, outline, projection, places);
  }
  if (present(Finding::atelectasis)) {
    paint_atelectasis(severities[Finding::atelectasis], course, outline, projection, places);
  }
  for (const Lump& lump : lumps_of(severities, course, outline)) paint_lump(lump, projection, places);
  if (present(Finding::pneumothorax)) {
    paint_pneumothorax(severities[Finding::pneumothorax], course.pneumothorax_side, outline, projection,
                       places);
  }
  if (present(Finding::effusion)) {
    const double severity = severities[Finding::effusion];
    paint_effusion(severity, course.effusion_side, outline, projection, places);
    if (course.effusion_both) {
      paint_effusion(0.6 * severity, -course.effusion_side, outline, projection, places);
    }
  }
}

}  // namespace medretrieval::imaging::phantom
