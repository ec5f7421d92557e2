#include "encoders/opq_rotation.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/portable_math.hpp"
#include "base/progress_counter.hpp"
#include "linalg/k_means.hpp"
#include "linalg/matrix_multiply.hpp"
#include "linalg/nearest_centroids.hpp"
#include "linalg/orthogonal.hpp"

namespace medretrieval::encoders {

namespace {

/// Column order that gives every subspace about the same product of variances: components by falling
/// variance, each to the open subspace whose product is smallest.
std::vector<std::size_t> balanced_order(const std::vector<double>& variances, std::size_t subspaces) {
  const std::size_t dimension = variances.size();
  std::vector<std::vector<std::size_t>> members(subspaces);
  std::vector<double> log_product(subspaces);
  for (std::size_t i = 0; i < dimension; ++i) {
    std::size_t best = subspaces;
    for (std::size_t m = 0; m < subspaces; ++m) {
      const std::size_t width = dimension / subspaces + (m < dimension % subspaces ? 1 : 0);
      if (members[m].size() < width && (best == subspaces || log_product[m] < log_product[best])) best = m;
    }
    members[best].push_back(i);
    log_product[best] += detail::portable_log(std::max(variances[i], 1e-30));
  }
  std::vector<std::size_t> order;
  for (const auto& group : members) order.insert(order.end(), group.begin(), group.end());
  return order;
}

Matrix permuted_rows(const Matrix& source, const std::vector<std::size_t>& order) {
  Matrix result(source.rows(), source.cols());
  for (std::size_t r = 0; r < order.size(); ++r) {
    const auto from = source.row(order[r]);
    std::copy(from.begin(), from.end(), result.row(r).begin());
  }
  return result;
}

/// One assignment and update in every subspace; returns the error before the update.
double codebook_step(MatrixView rotated, ProductCodebook& codebook, int threads) {
  std::vector<double> errors(codebook.subspaces());
  for_each_subspace(codebook, threads, [&](std::size_t m) {
    std::vector<std::uint32_t> assignment;
    errors[m] = linalg::k_means_step(codebook.slice(rotated, m), codebook.centroids(m), assignment, threads);
  });
  return std::accumulate(errors.begin(), errors.end(), 0.0);
}

/// The nearest centroids of every row, side by side.
Matrix quantized(MatrixView rotated, const ProductCodebook& codebook, int threads) {
  Matrix result(rotated.rows(), rotated.cols());
  for_each_subspace(codebook, threads, [&](std::size_t m) {
    const MatrixView points = codebook.slice(rotated, m);
    std::vector<std::uint32_t> nearest(points.rows());
    linalg::assign_nearest(points, codebook.centroids(m), nearest.data(), threads);
    const auto first = points.data() - rotated.data();
    for (std::size_t r = 0; r < points.rows(); ++r) {
      const auto centroid = codebook.centroids(m).row(nearest[r]);
      std::copy(centroid.begin(), centroid.end(), result.row(r).begin() + first);
    }
  });
  return result;
}

}  // namespace

OpqResult train_opq(MatrixView features, std::size_t dimension, std::size_t rotations,
                    const ProductOptions& options, const Progress& progress) {
  auto components = linalg::principal_components(features, dimension, options.threads);
  const Matrix start =
      permuted_rows(components.directions, balanced_order(components.variances, options.subspaces));
  // Within the span of the components only a square rotation is left to find.
  const Matrix points =
      linalg::multiply_transposed(linalg::centered(features, components.mean), start, options.threads);
  ProductOptions first = options;
  first.iterations =
      std::min<std::size_t>(options.iterations, 4);  // refined together with the rotation below
  auto codebook = train_product_codebook(points, first, {});
  std::vector<double> objective;
  Matrix turn;  // dimension x dimension
  Matrix rotated = points.clone();
  detail::ProgressCounter counter(progress, "train opq", rotations + options.iterations);
  for (std::size_t i = 0; i < rotations; ++i) {
    objective.push_back(codebook_step(rotated, codebook, options.threads));
    // min |R X - Y| over rotations: the polar factor of transpose(Y) X.
    turn = linalg::nearest_orthogonal(
        linalg::cross_product(quantized(rotated, codebook, options.threads), points, options.threads));
    rotated = linalg::multiply_transposed(points, turn, options.threads);
    counter.add(1);
  }
  for (std::size_t i = 0; i < options.iterations; ++i) {
    objective.push_back(codebook_step(rotated, codebook, options.threads));
    counter.add(1);
  }
  Rotation rotation(linalg::multiply_transposed(turn, linalg::transposed(start), options.threads),
                    std::move(components.mean));
  return {std::move(rotation), std::move(codebook), std::move(objective)};
}

}  // namespace medretrieval::encoders
