// Product codes of the centroids of inverted lists: which of them are worth a look.
#pragma once

#include <cstddef>
#include <cstdint>
#include <medretrieval/codes.hpp>
#include <medretrieval/encoder.hpp>
#include <memory>
#include <span>
#include <vector>

#include "encoders/product_encoder.hpp"

namespace medretrieval::index {

/// Immutable and thread-safe.
class CentroidCodes {
 public:
  /// Trains an encoder of 4-bit entries, each of two dimensions or more.
  /// \param centroids around their mean
  /// \param threads 0: all
  static std::shared_ptr<const Encoder> train(MatrixView centroids, int threads);
  /// Whether the encoder is of the kind that train() gives, for vectors of that dimension.
  static bool fits(const Encoder& encoder, std::size_t dimension);
  /// \param encoder one that fits
  CentroidCodes(std::shared_ptr<const Encoder> encoder, MatrixView centroids, int threads);

  const Encoder& encoder() const noexcept { return *encoder_; }
  /// For every query numbers of centroids, ascending: at least `wanted` and few more, with the least sums of table entries,
  /// which are whole numbers; where sums are equal, all that share the largest. The same on every instruction set. Empty
  /// when the query is so far from so many that the sums do not tell.
  /// \param queries around the centroids' mean
  std::vector<std::vector<std::uint32_t>> near(MatrixView queries, std::size_t wanted) const;

 private:
  std::shared_ptr<const encoders::ProductEncoder> encoder_;
  Codes codes_;
};

}  // namespace medretrieval::index
