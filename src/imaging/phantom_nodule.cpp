#include "imaging/phantom_nodule.hpp"

#include <algorithm>
#include <cmath>

#include "base/portable_math.hpp"

namespace medretrieval::imaging::phantom {

namespace {

constexpr double kCalcium = 700;       // HU
constexpr double kLongestSpicule = 8;  // mm

/// 0 for a rating of 1, 1 for a rating of 5.
double strength(double rating) {
  return (rating - 1) / 4;
}

Point place_centre(double radius, const ChestSlice& slice, detail::Random& random) {
  const double away = random.uniform() < 0.25 ? 0.8 * radius + 1 : std::max(16.0, radius);
  for (;;) {  // a good part of the box lies deep enough in a lung of any drawn chest
    const Point candidate{between(random, -130, 130), between(random, -95, 95)};
    const double depth = slice.lung_depth(candidate);
    if (depth > away && depth < 45) return candidate;
  }
}

Blob draw_outline(Point centre, const NoduleRatings& ratings, detail::Random& random) {
  const double radius = ratings.diameter_mm / 2;
  const double stretch = between(random, 1.0, 1.25);
  Blob outline = ellipse(centre, {radius * stretch, radius / stretch}, unit_vector(random.uniform()));
  outline.harmonics = Blob::kHarmonics;
  const double lobes = 0.015 + 0.1 * strength(ratings.lobulation);
  for (std::size_t k = 1; k < Blob::kHarmonics; ++k) {
    const double amplitude = k >= 2 && k <= 4 ? lobes : 0.3 * lobes;
    outline.cosine[k] = amplitude * between(random, -1, 1);
    outline.sine[k] = amplitude * between(random, -1, 1);
  }
  return outline;
}

std::vector<Spicule> draw_spicules(const NoduleRatings& ratings, detail::Random& random) {
  const double spikes = strength(ratings.spiculation);
  std::vector<Spicule> spicules(static_cast<std::size_t>(30 * spikes));
  for (Spicule& spicule : spicules) {
    const double longer = random.uniform();
    spicule.angle = 4 * random.uniform();
    spicule.half_width = between(random, 0.05, 0.15);
    const double reach = ratings.diameter_mm * (0.05 + spikes * (0.1 + 0.65 * longer * longer));
    spicule.height = std::min(reach, kLongestSpicule);
  }
  return spicules;
}

/// How far the spicules reach beyond the outline in the direction of `from_centre`, in mm.
double spicule_height(const std::vector<Spicule>& spicules, Point from_centre) {
  const double angle = pseudo_angle(from_centre);
  double height = 0;
  for (const Spicule& spicule : spicules) {
    const double apart = std::abs(angle - spicule.angle);
    const double closeness = 1 - std::min(apart, 4 - apart) / spicule.half_width;
    if (closeness > 0) height = std::max(height, spicule.height * closeness * closeness);
  }
  return height;
}

/// A nodule as a slice `height` mm off its middle cuts it.
struct NoduleCut {
  NoduleCut(const Nodule& nodule, double height)
      : spicules(nodule.spicules),
        relative(cut_share(nodule, height)),
        outline(nodule.outline),
        core(nodule.core) {
    const double whole_radius = nodule.ratings.diameter_mm / 2;
    radius = whole_radius * relative;
    outline.axes = relative * outline.axes;
    core.axes = relative * core.axes;
    softness = 0.5 + std::min(0.32 * whole_radius, 3.0) * (1 - strength(nodule.ratings.margin));
  }

  /// No pixel farther from the centre is painted.
  double reach() const { return outline.reach() + kLongestSpicule + softness; }

  /// The share of a pixel that the nodule covers.
  double share(Point point, double uneven) const {
    const double rays = relative * spicule_height(spicules, point - outline.centre);
    return coverage(outline.depth(point) + rays + 0.35 * softness * uneven, softness);
  }

  const std::vector<Spicule>& spicules;
  double relative;  ///< width against that in the middle slice
  Blob outline;
  Blob core;
  double radius = 0;
  double softness = 0;
};

}  // namespace

NoduleRatings draw_ratings(detail::Random& random) {
  constexpr int kMalignancies[] = {1, 2, 4, 5};
  NoduleRatings ratings;
  ratings.malignancy = kMalignancies[random.below(4)];
  // What radiologists see of the truth: one shared error, and one more for every rating.
  const double suspicion = (ratings.malignancy - 3) / 2.0 + 0.5 * random.normal();
  const auto rate = [&](double middle, double slope, double spread, double low, double high) {
    return std::clamp(middle + slope * suspicion + spread * random.normal(), low, high);
  };
  ratings.diameter_mm = std::clamp(11.5 * detail::portable_exp(rate(0, 0.65, 0.18, -2, 2)), 4.0, 26.0);
  ratings.margin = rate(3.6, -1.2, 0.7, 1, 5);
  ratings.lobulation = rate(2.5, 1.1, 0.8, 1, 5);
  ratings.spiculation = rate(2.3, 1.7, 0.6, 1, 5);
  ratings.texture = rate(4.2, -0.8, 0.8, 1, 5);
  ratings.calcification = rate(0, -0.35, 0.25, 0, 0.8);
  return ratings;
}

Nodule draw_nodule(const NoduleRatings& ratings, const ChestSlice& slice, detail::Random& random) {
  const double radius = ratings.diameter_mm / 2;
  Nodule nodule;
  nodule.ratings = ratings;
  nodule.outline = draw_outline(place_centre(radius, slice, random), ratings, random);
  const double solid_share = std::clamp(1.15 * strength(ratings.texture), 0.0, 1.0);
  const double looseness = 0.5 * (1 - solid_share) * radius;
  nodule.core = nodule.outline;
  nodule.core.axes = solid_share * nodule.outline.axes;
  nodule.core.centre = nodule.outline.centre + looseness * unit_vector(random.uniform());
  nodule.solid = between(random, 0, 60);
  nodule.haze = between(random, -700, -520);
  nodule.spicules = draw_spicules(ratings, random);
  return nodule;
}

double half_extent(const Nodule& nodule) {
  return 0.48 * nodule.ratings.diameter_mm;
}

double cut_share(const Nodule& nodule, double height) {
  const double radius = nodule.ratings.diameter_mm / 2;
  return std::sqrt(std::max(1 - height * height / (radius * radius), 0.1));
}

void paint_nodule(const Nodule& nodule, double height, const Unevenness& grain, Canvas& hounsfield) {
  const NoduleCut cut(nodule, height);
  const double calcified = cut.radius * nodule.ratings.calcification;
  hounsfield.paint_near(cut.outline.centre, cut.reach(), [&](std::size_t x, std::size_t y, Point point) {
    const double uneven = grain.at(point);
    const double share = cut.share(point, uneven);
    if (share == 0) return;
    double target = nodule.solid;
    const Blob& core = cut.core;
    if (core.axes.x < cut.outline.axes.x) {
      const double solid_share = core.axes.x > 0 ? coverage(core.depth(point) + 1.2 * uneven, 1.5) : 0.0;
      target = mix(nodule.haze + 90 * uneven, nodule.solid, solid_share);
    }
    if (calcified > 0.8) {
      target = mix(target, kCalcium, coverage(calcified - length(point - core.centre) + 0.7 * uneven, 0.8));
    }
    double& value = hounsfield.at(x, y);
    value = mix(value, std::max(value, target), share);
  });
}

Image nodule_mask(const Nodule& nodule, double height, const Unevenness& grain, const Canvas& canvas) {
  const NoduleCut cut(nodule, height);
  Image mask(canvas.side(), canvas.side(), PixelUnit::display);
  canvas.paint_near(cut.outline.centre, cut.reach(), [&](std::size_t x, std::size_t y, Point point) {
    if (cut.share(point, grain.at(point)) >= 0.5) mask.at(x, y) = 1;
  });
  const Point middle = canvas.to_pixel(cut.outline.centre);
  const auto nearest = [&](double place) {
    return static_cast<std::size_t>(
        std::clamp(std::nearbyint(place), 0.0, static_cast<double>(canvas.side() - 1)));
  };
  const auto pixels = mask.pixels();
  const bool is_empty = std::find(pixels.begin(), pixels.end(), 1.0F) == pixels.end();
  if (is_empty) mask.at(nearest(middle.x), nearest(middle.y)) = 1;
  return mask;
}

}  // namespace medretrieval::imaging::phantom
