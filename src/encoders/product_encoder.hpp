// Product quantization, plain or after a rotation: what PQ and OPQ have in common.
#pragma once

#include <medretrieval/encoder.hpp>
#include <optional>
#include <vector>

#include "encoders/product_codebook.hpp"

namespace medretrieval::encoders {

/// y = directions (x - mean): a rotation, or a projection to fewer dimensions.
struct Rotation {
  Matrix directions;        ///< output dimensions x input dimensions, orthonormal rows
  std::vector<float> mean;  ///< input dimensions

  Matrix apply(MatrixView features) const;
  /// transpose(directions) y + mean.
  Matrix undo(MatrixView rotated) const;
};

class ProductEncoder final : public Encoder {
 public:
  ProductEncoder(std::string type, Parameters parameters, ProductCodebook codebook,
                 std::optional<Rotation> rotation);

  static std::shared_ptr<const Encoder> load(const std::string& type, const Parameters& parameters,
                                             ByteReader& reader);

 private:
  void encode_rows(MatrixView features, Codes& codes, std::size_t first_row) const override;
  std::unique_ptr<QueryScorer> make_scorer(MatrixView queries) const override;
  Matrix reconstruct_rows(const CodesView& codes) const override;
  void write_state(ByteWriter& writer) const override;

  ProductCodebook codebook_;
  std::optional<Rotation> rotation_;
};

}  // namespace medretrieval::encoders
