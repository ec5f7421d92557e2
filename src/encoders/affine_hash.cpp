#include "encoders/affine_hash.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/concat.hpp"
#include "kernels/dispatch.hpp"

namespace medretrieval::encoders {

AffineHash::AffineHash(std::string type, Parameters parameters, Matrix weights, std::vector<float> offsets)
    : Encoder(std::move(type), std::move(parameters), weights.cols(), CodeLayout::binary(weights.rows())),
      weights_(std::move(weights)),
      packed_weights_(weights_),
      offsets_(std::move(offsets)) {}

void AffineHash::encode_rows(MatrixView features, Codes& codes, std::size_t first_row) const {
  const Matrix projections = linalg::multiply_transposed(features, packed_weights_, 1);
  std::vector<std::uint8_t> packed(layout().row_bytes());
  for (std::size_t r = 0; r < features.rows(); ++r) {
    kernels::active().sign_bits(projections.row(r).data(), offsets_.data(), offsets_.size(), packed.data());
    codes.set_row(first_row + r, packed.data());
  }
}

std::unique_ptr<QueryScorer> AffineHash::make_scorer(MatrixView queries) const {
  return make_hamming_scorer(encode(queries, 1));
}

void AffineHash::write_state(ByteWriter& writer) const {
  writer.number<std::uint64_t>(weights_.rows());
  writer.number<std::uint64_t>(weights_.cols());
  writer.array(std::span<const float>(weights_.data(), weights_.rows() * weights_.cols()));
  writer.array(std::span<const float>(offsets_));
}

std::shared_ptr<const Encoder> AffineHash::load(const std::string& type, const Parameters& parameters,
                                                ByteReader& reader) {
  const auto bits = reader.number<std::uint64_t>();
  const auto dimension = reader.number<std::uint64_t>();
  const auto values = reader.array<float>();
  auto offsets = reader.array<float>();
  if (bits == 0 || bits > CodeLayout::kMaxBits || dimension == 0 || dimension > kMaxDimension ||
      values.size() != bits * dimension || offsets.size() != bits) {
    reader.corrupt(detail::concat(bits, " bits over ", dimension, " dimensions do not fit ", values.size(),
                                  " weights and ", offsets.size(), " offsets"));
  }
  const auto finite = [](float value) { return std::isfinite(value); };
  if (!std::all_of(values.begin(), values.end(), finite) ||
      !std::all_of(offsets.begin(), offsets.end(), finite)) {
    reader.corrupt("a weight or offset is not finite");
  }
  return std::make_shared<AffineHash>(type, parameters, Matrix::copy_of({values.data(), bits, dimension}),
                                      std::move(offsets));
}

std::vector<float> offsets_for_mean(const Matrix& weights, const std::vector<float>& mean) {
  std::vector<float> offsets(weights.rows());
  for (std::size_t i = 0; i < weights.rows(); ++i) {
    double sum = 0;
    for (std::size_t d = 0; d < mean.size(); ++d)
      sum += static_cast<double>(weights(i, d)) * static_cast<double>(mean[d]);
    offsets[i] = static_cast<float>(-sum);
  }
  return offsets;
}

}  // namespace medretrieval::encoders
