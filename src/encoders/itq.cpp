// Iterative quantization: principal components, then the rotation that makes their signs lose least
// (Gong, Lazebnik, Gordo, Perronnin 2013).
#include <medretrieval/encoder.hpp>

#include "base/concat.hpp"
#include "base/random.hpp"
#include "encoders/affine_hash.hpp"
#include "encoders/itq_rotation.hpp"
#include "encoders/option_values.hpp"
#include "linalg/matrix_multiply.hpp"
#include "linalg/orthogonal.hpp"
#include "linalg/row_sample.hpp"

namespace medretrieval::encoders {

namespace {

void check_size(std::size_t bits, MatrixView features) {
  if (bits > features.cols()) {
    detail::fail(ErrorCode::invalid_argument, "encoder 'itq': expected at most as many bits as dimensions (",
                 features.cols(), "), got ", bits);
  }
  if (features.rows() < bits + 1) {
    detail::fail(ErrorCode::invalid_argument, "encoder 'itq': ", bits, " principal components need at least ",
                 bits + 1, " training rows, got ", features.rows());
  }
}

std::shared_ptr<const Encoder> train(const Parameters& parameters, const TrainingSet& data) {
  const std::size_t bits = whole(parameters, "bits");
  check_size(bits, data.features);
  detail::Random random(whole(parameters, "seed"));
  const linalg::RowSample rows(data.features, whole(parameters, "training_rows"), random);
  const auto components = linalg::principal_components(rows.view(), bits, data.threads);
  const Matrix projected = linalg::multiply_transposed(linalg::centered(rows.view(), components.mean),
                                                       components.directions, data.threads);
  const auto found = find_itq_rotation(projected, whole(parameters, "iterations"), whole(parameters, "seed"),
                                       data.threads, data.progress);
  // bit i: sum over j of rotation(j, i) * directions_j (x - mean)
  Matrix weights(bits, data.features.cols());
  for (std::size_t i = 0; i < bits; ++i) {
    auto weight = weights.row(i);
    for (std::size_t d = 0; d < weight.size(); ++d) {
      double sum = 0;
      for (std::size_t j = 0; j < bits; ++j) {
        sum += static_cast<double>(found.rotation(j, i)) * static_cast<double>(components.directions(j, d));
      }
      weight[d] = static_cast<float>(sum);
    }
  }
  auto offsets = offsets_for_mean(weights, components.mean);
  return std::make_shared<AffineHash>("itq", parameters, std::move(weights), std::move(offsets));
}

}  // namespace

EncoderType itq_type() {
  return {"itq",
          "iterative quantization: rotated principal components (Gong et al. 2013)",
          {{"bits", std::int64_t{64}, 1, linalg::kMaxPrincipalDimension, "code width, at most the dimension"},
           {"iterations", std::int64_t{50}, 1, 10000, "of the rotation"},
           training_rows_spec(),
           {"seed", std::int64_t{1}, 0, kMaxSeed, "of the first rotation"}},
          train,
          [](const Parameters& parameters, ByteReader& reader) {
            return AffineHash::load("itq", parameters, reader);
          }};
}

}  // namespace medretrieval::encoders
