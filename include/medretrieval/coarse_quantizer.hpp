/// \file
/// The coarse quantizer: divides the feature space into the inverted lists of a gallery.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <medretrieval/bytes.hpp>
#include <medretrieval/matrix.hpp>

namespace medretrieval {

class Encoder;

/// How a coarse quantizer is learned.
struct ListOptions {
  std::size_t lists = 1024;  ///< 1 to CoarseQuantizer::kMaxLists; about the square root of the gallery's size
  std::size_t iterations = 10;  ///< of k-means, at least 1
  std::size_t rows_per_list =
      256;  ///< learn from at most so many training rows a list, drawn at random; at least 1
  std::uint64_t seed = 1;

  /// \throws Error (invalid_argument).
  void validate() const;
};

/// The centroids of the inverted lists (inverted file with asymmetric distance, IVFADC: Jégou, Douze, Schmid 2011,
/// section IV). An item belongs to the list of its nearest centroid. Immutable and thread-safe.
class CoarseQuantizer {
 public:
  static constexpr std::size_t kMaxLists = std::size_t{1} << 20;

  /// k-means over the features. Repeatable: the same features and options give the same centroids at any thread count.
  /// \param threads 0: all
  /// \throws Error (invalid_argument) for options out of range, features that are not finite, fewer rows than lists.
  static CoarseQuantizer train(MatrixView features, const ListOptions& options, int threads = 0);
  /// \param centroids one row a list
  /// \throws Error (invalid_argument) without rows, above kMaxLists rows, for values that are not finite.
  explicit CoarseQuantizer(MatrixView centroids, int threads = 0);

  std::size_t lists() const noexcept { return centroids_.rows(); }
  std::size_t dimension() const noexcept { return centroids_.cols(); }
  MatrixView centroids() const noexcept { return centroids_; }

  /// The list of every row: the nearest centroid by squared distance, the lowest number on ties.
  /// \throws Error (invalid_argument) when the width differs or a value is not finite.
  std::vector<std::uint32_t> assign(MatrixView features, int threads = 0) const;
  /// Every row minus the centroid of its list.
  /// \param lists one a row
  /// \throws Error (invalid_argument) for another width, another number of lists than rows, a number from lists() on.
  Matrix residuals(MatrixView features, std::span<const std::uint32_t> lists) const;

  /// The `count` nearest lists of every query, the nearest first (the lowest number on ties); all lists when there are
  /// fewer. With many lists, product codes of the centroids choose eight times as many, whose distances are then computed:
  /// a list may be missed, rarely. The same on every instruction set, for a query alone or in a batch.
  /// \throws Error as assign().
  std::vector<std::vector<std::uint32_t>> nearest(MatrixView queries, std::size_t count) const;

  void write(ByteWriter& writer) const;
  /// \throws Error corrupt, unsupported (a newer format of the codes).
  static CoarseQuantizer read(ByteReader& reader);

 private:
  class Prepared;
  CoarseQuantizer(MatrixView centroids, std::shared_ptr<const Encoder> encoder, int threads);

  Matrix centroids_;
  std::shared_ptr<const Prepared> prepared_;
};

}  // namespace medretrieval
