// The first centroids of k-means.
#pragma once

#include <cstddef>
#include <medretrieval/matrix.hpp>

#include "base/random.hpp"

namespace medretrieval::linalg {

/// k-means++ (Arthur and Vassilvitskii 2007) over a sample of the points: each centroid is a point drawn in
/// proportion to its squared distance from the centroids before it.
/// \param clusters 1 to the number of points
Matrix first_centroids(MatrixView points, std::size_t clusters, detail::Random& random);

}  // namespace medretrieval::linalg
