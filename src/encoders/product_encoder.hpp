// Product quantization, plain or after a rotation: what PQ and OPQ have in common.
#pragma once

#include <medretrieval/encoder.hpp>
#include <optional>
#include <vector>

#include "encoders/codebook_distances.hpp"
#include "encoders/codebook_search.hpp"
#include "encoders/product_codebook.hpp"
#include "linalg/matrix_multiply.hpp"

namespace medretrieval::encoders {

/// y = directions (x - mean): a rotation, or a projection to fewer dimensions. Immutable.
class Rotation {
 public:
  /// \param directions output dimensions x input dimensions, orthonormal rows
  Rotation(Matrix directions, std::vector<float> mean)
      : directions_(std::move(directions)), mean_(std::move(mean)), packed_(directions_) {}

  const Matrix& directions() const noexcept { return directions_; }
  const std::vector<float>& mean() const noexcept { return mean_; }

  Matrix apply(MatrixView features) const;
  /// transpose(directions) y + mean.
  Matrix undo(MatrixView rotated) const;

 private:
  Matrix directions_;
  std::vector<float> mean_;
  linalg::PackedMatrix packed_;
};

class ProductEncoder final : public Encoder {
 public:
  ProductEncoder(std::string type, Parameters parameters, ProductCodebook codebook,
                 std::optional<Rotation> rotation);

  static std::shared_ptr<const Encoder> load(const std::string& type, const Parameters& parameters,
                                             ByteReader& reader);

  bool has_rotation() const noexcept { return rotation_.has_value(); }
  /// One row a query, as CodebookDistances gives them.
  Matrix distance_tables(MatrixView queries) const;

 private:
  void encode_rows(MatrixView features, Codes& codes, std::size_t first_row) const override;
  std::unique_ptr<QueryScorer> make_scorer(MatrixView queries) const override;
  Matrix reconstruct_rows(const CodesView& codes) const override;
  void write_state(ByteWriter& writer) const override;

  ProductCodebook codebook_;
  CodebookDistances distances_;
  CodebookSearch search_;
  std::optional<Rotation> rotation_;
};

}  // namespace medretrieval::encoders
