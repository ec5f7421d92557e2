// Encoding by product quantization: the nearest centroid of every subspace.
#pragma once

#include <medretrieval/codes.hpp>
#include <medretrieval/matrix.hpp>
#include <vector>

#include "encoders/product_codebook.hpp"
#include "linalg/nearest_centroids.hpp"

namespace medretrieval::encoders {

/// A codebook prepared for encoding. Immutable.
class CodebookSearch {
 public:
  /// \param codebook stays where it is and unchanged while this object lives
  explicit CodebookSearch(const ProductCodebook& codebook);

  /// The numbers of the nearest centroids of every row, into the rows of `codes` from `first_row`, which are
  /// zero.
  /// \param first_row a multiple of 64
  void encode(MatrixView features, Codes& codes, std::size_t first_row) const;

 private:
  const ProductCodebook& codebook_;
  std::vector<linalg::CentroidSearch> searches_;  // one a subspace
};

}  // namespace medretrieval::encoders
