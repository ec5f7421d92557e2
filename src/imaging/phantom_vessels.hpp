// The branching vessels of one lung, in space, for slices (CT) and projections (radiographs) alike.
#pragma once

#include <cstddef>
#include <vector>

#include "base/random.hpp"
#include "imaging/phantom_canvas.hpp"
#include "imaging/phantom_geometry.hpp"

namespace medretrieval::imaging::phantom {

/// A place in space: a point of the image plane, and how far it lies above that plane, in mm.
struct Place {
  Point plane;
  double height = 0;
};

/// One unbranched, tapered piece of a vessel.
struct Vessel {
  Place from;
  Place to;
  double radius_from = 1;  ///< mm
  double radius_to = 1;
};

/// A tree from a root to leaves that fill an ellipsoid.
struct VesselTree {
  Place root;
  Place centre;     ///< of the ellipsoid
  Place half_axes;  ///< of the ellipsoid
  std::size_t leaves = 800;
  double leaf_radius = 0.45;  ///< mm; a vessel is the thicker, the more leaves it feeds
};

std::vector<Vessel> grow_vessels(const VesselTree& tree, detail::Random& random);

/// Raises each pixel of `cover` to the share that a slice at `height`, `blur` mm soft, has of these vessels.
void paint_slice(const std::vector<Vessel>& vessels, double height, double blur, Canvas& cover);

/// Raises each pixel of `path` to the longest way that a ray has through one of these vessels, in mm.
void paint_projection(const std::vector<Vessel>& vessels, Canvas& path);

}  // namespace medretrieval::imaging::phantom
