// Synthetic feature vectors for tests.
#pragma once

#include <algorithm>
#include <cmath>
#include <medretrieval/matrix.hpp>

#include "base/random.hpp"

namespace medretrieval::testing {

/// Independent standard normal values.
inline Matrix gaussian(std::size_t rows, std::size_t cols, std::uint64_t seed) {
  detail::Random random(seed);
  Matrix result(rows, cols);
  for (std::size_t r = 0; r < rows; ++r) {
    for (float& value : result.row(r)) value = static_cast<float>(random.normal());
  }
  return result;
}

/// Points around `clusters` centres, the same for every seed: row r belongs to cluster r % clusters.
inline Matrix clustered(std::size_t rows, std::size_t cols, std::size_t clusters, double spread,
                        std::uint64_t seed) {
  const Matrix centres = gaussian(clusters, cols, 1000);
  Matrix result = gaussian(rows, cols, seed);
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < cols; ++c) {
      result(r, c) = static_cast<float>(spread) * result(r, c) + centres(r % clusters, c);
    }
  }
  return result;
}

/// Largest entry of |Q Q' - I| over the rows of Q.
inline double max_distance_from_identity(const Matrix& q) {
  double worst = 0;
  for (std::size_t i = 0; i < q.rows(); ++i) {
    for (std::size_t j = 0; j < q.rows(); ++j) {
      double dot = 0;
      for (std::size_t c = 0; c < q.cols(); ++c)
        dot += static_cast<double>(q(i, c)) * static_cast<double>(q(j, c));
      worst = std::max(worst, std::fabs(dot - (i == j ? 1 : 0)));
    }
  }
  return worst;
}

}  // namespace medretrieval::testing
