// Binary codes from the signs of an affine map: what LSH, ITQ and the hash head have in common.
#pragma once

#include <medretrieval/encoder.hpp>
#include <vector>

#include "linalg/matrix_multiply.hpp"

namespace medretrieval::encoders {

/// bit i = 1 when w_i x + b_i > 0.
class AffineHash final : public Encoder {
 public:
  /// \param weights bits x dimension
  /// \param offsets b, one for each bit
  AffineHash(std::string type, Parameters parameters, Matrix weights, std::vector<float> offsets);

  /// Reads what write_state wrote.
  static std::shared_ptr<const Encoder> load(const std::string& type, const Parameters& parameters,
                                             ByteReader& reader);

 private:
  void encode_rows(MatrixView features, Codes& codes, std::size_t first_row) const override;
  std::unique_ptr<QueryScorer> make_scorer(MatrixView queries) const override;
  void write_state(ByteWriter& writer) const override;

  Matrix weights_;
  linalg::PackedMatrix packed_weights_;
  std::vector<float> offsets_;
};

/// The offsets that make w_i (x - mean) + b_i out of w_i x: -w_i mean, summed in double precision.
std::vector<float> offsets_for_mean(const Matrix& weights, const std::vector<float>& mean);

}  // namespace medretrieval::encoders
