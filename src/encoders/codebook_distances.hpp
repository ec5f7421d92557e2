// Lookup tables of the distances to a codebook.
#pragma once

#include <medretrieval/matrix.hpp>
#include <vector>

#include "encoders/product_codebook.hpp"

namespace medretrieval::encoders {

/// A codebook laid out by dimension, so that the distances to many centroids of a subspace are computed side by side.
class CodebookDistances {
 public:
  /// \param codebook trained
  explicit CodebookDistances(const ProductCodebook& codebook);

  /// One row a query: |q_m - c|^2 for every subspace and centroid (Jégou et al. 2011, section 3.2), in the order of
  /// kernels::EntryDistances.
  Matrix tables(MatrixView queries) const;

 private:
  std::size_t entries_;
  std::vector<std::size_t> starts_;  // first dimension of each subspace, then the number of dimensions
  Matrix values_;                    // dimension x entries: of all centroids of the subspace of the dimension
};

}  // namespace medretrieval::encoders
