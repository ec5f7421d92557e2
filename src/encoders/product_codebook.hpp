// The codebooks of product quantization: which columns each subspace takes and its centroids.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <medretrieval/bytes.hpp>
#include <medretrieval/codes.hpp>
#include <medretrieval/matrix.hpp>
#include <medretrieval/progress.hpp>
#include <vector>

namespace medretrieval::encoders {

class ProductCodebook {
 public:
  /// All centroids zero. The first dimension % subspaces subspaces are one column wider than the others.
  /// \throws Error (invalid_argument) with more subspaces than dimensions.
  ProductCodebook(std::size_t dimension, std::size_t subspaces, std::size_t bits_per_entry);

  std::size_t dimension() const noexcept { return starts_.back(); }
  std::size_t subspaces() const noexcept { return centroids_.size(); }
  /// Centroids in each subspace: 16 or 256.
  std::size_t entries() const noexcept { return entries_; }
  CodeLayout layout() const { return CodeLayout::product(subspaces(), entries_ == 16 ? 4 : 8); }

  Matrix& centroids(std::size_t m) noexcept { return centroids_[m]; }
  const Matrix& centroids(std::size_t m) const noexcept { return centroids_[m]; }
  /// The columns of subspace m.
  MatrixView slice(MatrixView features, std::size_t m) const noexcept {
    return features.cols_from(starts_[m], starts_[m + 1] - starts_[m]);
  }

  /// The centroids that the codes name, side by side.
  Matrix reconstruct(const CodesView& codes) const;

  void write(ByteWriter& writer) const;
  static ProductCodebook read(ByteReader& reader);

 private:
  std::size_t entries_;
  std::vector<std::size_t> starts_;  // first column of each subspace, then the dimension
  std::vector<Matrix> centroids_;    // entries x width, one a subspace
};

/// What both kinds of product quantization are trained with.
struct ProductOptions {
  std::size_t subspaces = 8;
  std::size_t bits_per_entry = 8;
  std::size_t iterations = 25;
  std::size_t training_rows = 65536;  ///< drawn when there are more; 0: all
  std::uint64_t seed = 1;
  int threads = 0;
};

/// Calls body(m) for every subspace: over the threads when there are enough subspaces, else one after another with all
/// threads left to the body.
void for_each_subspace(const ProductCodebook& codebook, int threads,
                       const std::function<void(std::size_t)>& body);

/// k-means in each subspace; subspace m takes the seed `seed + m`. Trains on all rows that are given.
/// \throws Error (invalid_argument) with fewer rows than centroids or fewer dimensions than subspaces;
///        cancelled.
ProductCodebook train_product_codebook(MatrixView features, const ProductOptions& options,
                                       const Progress& progress);

}  // namespace medretrieval::encoders
