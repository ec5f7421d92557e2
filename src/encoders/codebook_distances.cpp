#include "encoders/codebook_distances.hpp"

#include "kernels/dispatch.hpp"

namespace medretrieval::encoders {

CodebookDistances::CodebookDistances(const ProductCodebook& codebook)
    : entries_(codebook.entries()), starts_{0}, values_(codebook.dimension(), codebook.entries()) {
  for (std::size_t m = 0; m < codebook.subspaces(); ++m) {
    const Matrix& centroids = codebook.centroids(m);
    for (std::size_t j = 0; j < entries_; ++j) {
      for (std::size_t d = 0; d < centroids.cols(); ++d) values_(starts_.back() + d, j) = centroids(j, d);
    }
    starts_.push_back(starts_.back() + centroids.cols());
  }
}

Matrix CodebookDistances::tables(MatrixView queries) const {
  const auto entry_distances = kernels::active().entry_distances;
  const std::size_t subspaces = starts_.size() - 1;
  Matrix tables(queries.rows(), subspaces * entries_);
  for (std::size_t q = 0; q < queries.rows(); ++q) {
    entry_distances(queries.row(q).data(), values_.data(), starts_.data(), subspaces, entries_,
                    tables.row(q).data());
  }
  return tables;
}

}  // namespace medretrieval::encoders
