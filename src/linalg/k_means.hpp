// Lloyd's k-means, repeatable at any thread count.
#pragma once

#include <cstddef>
#include <cstdint>
#include <medretrieval/matrix.hpp>
#include <vector>

#include "linalg/nearest_centroids.hpp"

namespace medretrieval::linalg {

struct KMeansOptions {
  std::size_t clusters = 0;
  std::size_t iterations = 25;
  /// Points for each cluster that are drawn to train on when there are more; 0: all.
  std::size_t points_per_cluster = 0;
  std::uint64_t seed = 1;
  int threads = 0;
};

struct KMeansResult {
  Matrix centroids;      ///< clusters x dimension
  double objective = 0;  ///< sum of squared distances at the last assignment of the points trained on
};

/// Starts by k-means++. A cluster that loses all its points moves to the point furthest from its own
/// centroid.
/// \throws Error (invalid_argument) with fewer points than clusters.
KMeansResult k_means(MatrixView points, const KMeansOptions& options);

/// One assignment and update from given centroids, in place. The objective (at the assignment, before the
/// update) never rises from one call to the next.
/// \param assignment receives the nearest centroid of every point
double k_means_step(MatrixView points, Matrix& centroids, std::vector<std::uint32_t>& assignment,
                    int threads);

}  // namespace medretrieval::linalg
