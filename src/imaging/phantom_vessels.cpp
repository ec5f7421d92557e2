#include "imaging/phantom_vessels.hpp"

#include <algorithm>
#include <cmath>
#include <span>

#include "base/portable_math.hpp"

namespace medretrieval::imaging::phantom {

namespace {

Place operator+(Place a, Place b) {
  return {a.plane + b.plane, a.height + b.height};
}
Place operator-(Place a, Place b) {
  return {a.plane - b.plane, a.height - b.height};
}
Place operator*(double factor, Place a) {
  return {factor * a.plane, factor * a.height};
}
double dot(Place a, Place b) {
  return phantom::dot(a.plane, b.plane) + a.height * b.height;
}

/// The three coordinates by number, to choose an axis of space at run time.
double coordinate(Place place, int axis) {
  if (axis == 0) return place.plane.x;
  return axis == 1 ? place.plane.y : place.height;
}

std::vector<Place> draw_leaves(const VesselTree& tree, detail::Random& random) {
  std::vector<Place> leaves;
  leaves.reserve(tree.leaves);
  while (leaves.size() < tree.leaves) {
    const Place unit{{between(random, -1, 1), between(random, -1, 1)}, between(random, -1, 1)};
    if (dot(unit, unit) > 1) continue;
    leaves.push_back(tree.centre +
                     Place{{unit.plane.x * tree.half_axes.plane.x, unit.plane.y * tree.half_axes.plane.y},
                           unit.height * tree.half_axes.height});
  }
  return leaves;
}

/// The axis along which the leaves lie farthest apart.
int longest_axis(std::span<const Place> leaves) {
  int longest = 0;
  double longest_extent = -1;
  for (int axis = 0; axis < 3; ++axis) {
    const auto [low, high] = std::minmax_element(leaves.begin(), leaves.end(), [axis](Place a, Place b) {
      return coordinate(a, axis) < coordinate(b, axis);
    });
    const double extent = coordinate(*high, axis) - coordinate(*low, axis);
    if (extent > longest_extent) {
      longest = axis;
      longest_extent = extent;
    }
  }
  return longest;
}

/// Grows a branch towards the middle of the leaves, splits them where they lie farthest apart, and goes on
/// with each part: space is filled evenly, as in a lung (after Tawhai et al. 2000).
class Grower {
 public:
  Grower(const VesselTree& tree, detail::Random& random, std::vector<Vessel>& vessels)
      : tree_(tree), random_(random), vessels_(vessels) {}

  void grow(Place from, std::span<Place> leaves) {
    if (leaves.size() == 1) {
      const double radius = radius_feeding(1);
      vessels_.push_back({from, leaves.front(), radius, 0.6 * radius});
      return;
    }
    Place middle;
    for (const Place& leaf : leaves) middle = middle + 1.0 / static_cast<double>(leaves.size()) * leaf;
    const Place ahead = middle - from;
    const double bend = 0.12 * std::sqrt(dot(ahead, ahead));
    const Place aside{{between(random_, -bend, bend), between(random_, -bend, bend)},
                      between(random_, -bend, bend)};
    const Place fork = from + between(random_, 0.3, 0.5) * ahead + aside;
    const double radius = radius_feeding(leaves.size());
    vessels_.push_back({from, fork, radius, 0.92 * radius});

    const int axis = longest_axis(leaves);
    std::sort(leaves.begin(), leaves.end(),
              [axis](Place a, Place b) { return coordinate(a, axis) < coordinate(b, axis); });
    const double share = between(random_, 0.25, 0.75);
    const auto first = static_cast<std::size_t>(share * static_cast<double>(leaves.size()));
    const std::size_t split = std::clamp<std::size_t>(first, 1, leaves.size() - 1);
    grow(fork, leaves.first(split));
    grow(fork, leaves.subspan(split));
  }

 private:
  /// Murray's law gives the power 1/3; measured lung arteries lie a little above it.
  double radius_feeding(std::size_t leaves) const {
    return tree_.leaf_radius * detail::portable_exp(0.38 * detail::portable_log(static_cast<double>(leaves)));
  }

  const VesselTree& tree_;
  detail::Random& random_;
  std::vector<Vessel>& vessels_;
};

}  // namespace

std::vector<Vessel> grow_vessels(const VesselTree& tree, detail::Random& random) {
  std::vector<Place> leaves = draw_leaves(tree, random);
  std::vector<Vessel> vessels;
  vessels.reserve(2 * leaves.size());
  Grower(tree, random, vessels).grow(tree.root, leaves);
  return vessels;
}

void paint_slice(const std::vector<Vessel>& vessels, double height, double blur, Canvas& cover) {
  for (const Vessel& vessel : vessels) {
    const double reach = vessel.radius_from + blur;
    if (std::min(vessel.from.height, vessel.to.height) > height + reach ||
        std::max(vessel.from.height, vessel.to.height) < height - reach) {
      continue;
    }
    const Place axis = vessel.to - vessel.from;
    const double square = std::max(dot(axis, axis), 1e-9);
    cover.paint_along(
        vessel.from.plane, vessel.to.plane, reach, [&](std::size_t x, std::size_t y, Point point) {
          const Place offset = Place{point, height} - vessel.from;
          const double along = std::clamp(dot(offset, axis) / square, 0.0, 1.0);
          const Place miss = offset - along * axis;
          const double radius = mix(vessel.radius_from, vessel.radius_to, along);
          cover.at(x, y) = std::max(cover.at(x, y), coverage(radius - std::sqrt(dot(miss, miss)), blur));
        });
  }
}

void paint_projection(const std::vector<Vessel>& vessels, Canvas& path) {
  for (const Vessel& vessel : vessels) {
    // What is thinner than a pixel is drawn as wide as one, and as much fainter.
    const double widest = std::max(vessel.radius_from, 0.7 * path.spacing());
    const Stroke stroke{vessel.from.plane, vessel.to.plane, widest,
                        std::max(vessel.radius_to, 0.7 * path.spacing())};
    const double faint = vessel.radius_from / widest;
    path.paint_along(stroke.from, stroke.to, widest, [&](std::size_t x, std::size_t y, Point point) {
      const Stroke::Nearest nearest = stroke.nearest(point);
      const double square = nearest.radius * nearest.radius - nearest.distance * nearest.distance;
      if (square > 0) path.at(x, y) = std::max(path.at(x, y), 2 * faint * faint * std::sqrt(square));
    });
  }
}

}  // namespace medretrieval::imaging::phantom
