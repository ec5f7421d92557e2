#include "encoders/product_encoder.hpp"

#include <algorithm>
#include <cmath>

#include "base/concat.hpp"
#include "linalg/orthogonal.hpp"

namespace medretrieval::encoders {

Matrix Rotation::apply(MatrixView features) const {
  return linalg::multiply_transposed(linalg::centered(features, mean_), packed_, 1);
}

Matrix Rotation::undo(MatrixView rotated) const {
  Matrix result = linalg::multiply_transposed(rotated, linalg::transposed(directions_), 1);
  for (std::size_t r = 0; r < result.rows(); ++r) {
    auto row = result.row(r);
    for (std::size_t c = 0; c < row.size(); ++c) row[c] += mean_[c];
  }
  return result;
}

ProductEncoder::ProductEncoder(std::string type, Parameters parameters, ProductCodebook codebook,
                               std::optional<Rotation> rotation)
    : Encoder(std::move(type), std::move(parameters),
              rotation ? rotation->directions().cols() : codebook.dimension(), codebook.layout()),
      codebook_(std::move(codebook)),
      distances_(codebook_),
      search_(codebook_),
      rotation_(std::move(rotation)) {}

void ProductEncoder::encode_rows(MatrixView features, Codes& codes, std::size_t first_row) const {
  if (rotation_) {
    search_.encode(rotation_->apply(features), codes, first_row);
  } else {
    search_.encode(features, codes, first_row);
  }
}

std::unique_ptr<QueryScorer> ProductEncoder::make_scorer(MatrixView queries) const {
  return make_adc_scorer(layout(), distance_tables(queries));
}

Matrix ProductEncoder::distance_tables(MatrixView queries) const {
  return distances_.tables(rotation_ ? rotation_->apply(queries).view() : queries);
}

Matrix ProductEncoder::reconstruct_rows(const CodesView& codes) const {
  Matrix rotated = codebook_.reconstruct(codes);
  return rotation_ ? rotation_->undo(rotated) : std::move(rotated);
}

void ProductEncoder::write_state(ByteWriter& writer) const {
  writer.number(static_cast<std::uint8_t>(rotation_.has_value()));
  if (rotation_) {
    const Matrix& directions = rotation_->directions();
    writer.number<std::uint64_t>(directions.rows());
    writer.array(std::span<const float>(rotation_->mean()));
    writer.array(std::span<const float>(directions.data(), directions.rows() * directions.cols()));
  }
  codebook_.write(writer);
}

std::shared_ptr<const Encoder> ProductEncoder::load(const std::string& type, const Parameters& parameters,
                                                    ByteReader& reader) {
  std::optional<Rotation> rotation;
  if (reader.number<std::uint8_t>() != 0) {
    const auto rows = reader.number<std::uint64_t>();
    auto mean = reader.array<float>();
    const auto values = reader.array<float>();
    const auto finite = [](float value) { return std::isfinite(value); };
    if (mean.empty() || mean.size() > kMaxDimension || rows == 0 || rows > mean.size() ||
        values.size() != rows * mean.size() || !std::all_of(values.begin(), values.end(), finite) ||
        !std::all_of(mean.begin(), mean.end(), finite)) {
      reader.corrupt(detail::concat("a rotation of ", rows, " x ", mean.size(), " does not fit ",
                                    values.size(), " finite values"));
    }
    Matrix directions = Matrix::copy_of({values.data(), rows, mean.size()});
    rotation.emplace(std::move(directions), std::move(mean));
  }
  auto codebook = ProductCodebook::read(reader);
  if (rotation && rotation->directions().rows() != codebook.dimension()) {
    reader.corrupt(detail::concat("the rotation gives ", rotation->directions().rows(),
                                  " dimensions, the codebook wants ", codebook.dimension()));
  }
  return std::make_shared<ProductEncoder>(type, parameters, std::move(codebook), std::move(rotation));
}

}  // namespace medretrieval::encoders
