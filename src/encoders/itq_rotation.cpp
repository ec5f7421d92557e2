#include "encoders/itq_rotation.hpp"

#include "base/progress_counter.hpp"
#include "base/random.hpp"
#include "linalg/matrix_multiply.hpp"
#include "linalg/orthogonal.hpp"

namespace medretrieval::encoders {

namespace {

/// Replaces every entry by its sign and returns the squared distance between the two.
double take_signs(Matrix& values) {
  double loss = 0;
  for (std::size_t r = 0; r < values.rows(); ++r) {
    for (float& value : values.row(r)) {
      const float sign = value > 0 ? 1.0F : -1.0F;
      const double difference = static_cast<double>(sign) - static_cast<double>(value);
      loss += difference * difference;
      value = sign;
    }
  }
  return loss;
}

}  // namespace

ItqRotation find_itq_rotation(MatrixView projected, std::size_t iterations, std::uint64_t seed, int threads,
                              const Progress& progress) {
  detail::Random random(seed);
  ItqRotation result;
  result.rotation = linalg::random_rotation(projected.cols(), random);
  detail::ProgressCounter counter(progress, "train itq", iterations);
  for (std::size_t i = 0; i < iterations; ++i) {
    Matrix signs =
        linalg::multiply_transposed(projected, linalg::transposed(result.rotation), threads);  // V R, then B
    result.objective.push_back(take_signs(signs));
    // min |B - V R| over rotations: R = U S^ of the SVD of transpose(V) B (Schönemann 1966).
    result.rotation = linalg::nearest_orthogonal(linalg::cross_product(projected, signs, threads));
    counter.add(1);
  }
  return result;
}

}  // namespace medretrieval::encoders
