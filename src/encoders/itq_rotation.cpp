#include "encoders/itq_rotation.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/parallel_for.hpp"
#include "base/progress_counter.hpp"
#include "base/random.hpp"
#include "linalg/matrix_multiply.hpp"
#include "linalg/orthogonal.hpp"

namespace medretrieval::encoders {

namespace {

constexpr std::size_t kChunk = 1024;  // rows; fixed, so that sums do not depend on threads

double sum_of_squares(MatrixView values) {
  double sum = 0;
  for (std::size_t r = 0; r < values.rows(); ++r) {
    for (const float value : values.row(r)) sum += static_cast<double>(value) * static_cast<double>(value);
  }
  return sum;
}

/// Replaces every entry by its sign and returns the sum of their magnitudes, for each row added in 16 lanes.
double take_signs(Matrix& values) {
  double sum = 0;
  for (std::size_t r = 0; r < values.rows(); ++r) {
    std::array<float, 16> lanes = {};
    float* row = values.row(r).data();
    const std::size_t whole = values.cols() / 16 * 16;
    const auto take = [&](float& value, float& lane) {
      lane += std::fabs(value);
      value = value > 0 ? 1.0F : -1.0F;
    };
    for (std::size_t c = 0; c < whole; c += 16) {
      for (std::size_t j = 0; j < 16; ++j) take(row[c + j], lanes[j]);
    }
    for (std::size_t c = whole; c < values.cols(); ++c) take(row[c], lanes[c - whole]);
    for (const float lane : lanes) sum += static_cast<double>(lane);
  }
  return sum;
}

/// One update of B = sign(V R).
struct Signs {
  linalg::DoubleMatrix product;  ///< transpose(V) B
  double magnitude = 0;          ///< sum of |V R|
};

Signs update_signs(MatrixView projected, const Matrix& rotation, int threads) {
  const linalg::PackedMatrix packed(linalg::transposed(rotation));
  const std::size_t chunks = (projected.rows() + kChunk - 1) / kChunk;
  std::vector<double> magnitudes(chunks);
  Signs result;
  result.product = linalg::sum_of_cross_products(
      projected, projected.cols(), threads, [&](std::size_t first, MatrixView part) {
        Matrix signs = linalg::multiply_transposed(part, packed, 1);
        magnitudes[first / kChunk] = take_signs(signs);
        return signs;
      });
  for (const double magnitude : magnitudes) result.magnitude += magnitude;
  return result;
}

}  // namespace

ItqRotation find_itq_rotation(MatrixView projected, std::size_t iterations, std::uint64_t seed, int threads,
                              const Progress& progress) {
  detail::Random random(seed);
  ItqRotation result;
  result.rotation = linalg::random_rotation(projected.cols(), random);
  // |B - V R|^2 = |B|^2 - 2 sum |V R| + |V R|^2, and a rotation keeps |V|^2.
  const double constant =
      static_cast<double>(projected.rows() * projected.cols()) + sum_of_squares(projected);
  detail::ProgressCounter counter(progress, "train itq", iterations);
  for (std::size_t i = 0; i < iterations; ++i) {
    const Signs signs = update_signs(projected, result.rotation, threads);
    result.objective.push_back(constant - 2 * signs.magnitude);
    // min |B - V R| over rotations: R = U S^ of the SVD of transpose(V) B (Schönemann 1966).
    result.rotation = linalg::nearest_orthogonal(signs.product);
    counter.add(1);
  }
  return result;
}

}  // namespace medretrieval::encoders
