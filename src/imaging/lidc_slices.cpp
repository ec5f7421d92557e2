// From an outline to the slice it was drawn in.
#include <cmath>
#include <limits>
#include <medretrieval/imaging/lidc.hpp>

#include "base/concat.hpp"

namespace medretrieval::imaging {

std::optional<std::size_t> find_lidc_slice(const LidcContour& contour, std::span<const LidcSlice> slices,
                                           double z_tolerance) {
  for (std::size_t i = 0; i < slices.size() && !contour.sop_uid.empty(); ++i) {
    if (slices[i].sop_uid == contour.sop_uid) return i;
  }
  std::optional<std::size_t> nearest;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < slices.size() && contour.z; ++i) {
    if (!slices[i].z) continue;
    const double distance = std::fabs(*slices[i].z - *contour.z);
    if (distance <= z_tolerance && distance < least) {
      nearest = i;
      least = distance;
    }
  }
  return nearest;
}

void require_inside(const LidcContour& contour, std::size_t columns, std::size_t rows) {
  for (const LidcPoint point : contour.points) {
    const bool inside = point.x >= 0 && point.y >= 0 && static_cast<std::size_t>(point.x) < columns &&
                        static_cast<std::size_t>(point.y) < rows;
    if (!inside) {
      detail::fail(ErrorCode::corrupt, "line ", contour.line, ": the point (", point.x, ", ", point.y,
                   ") of an outline lies outside of its slice of ", columns, " x ", rows, " pixels");
    }
  }
}

}  // namespace medretrieval::imaging
