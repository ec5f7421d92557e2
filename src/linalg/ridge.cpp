#include "linalg/ridge.hpp"

#include <Eigen/Cholesky>

#include "base/concat.hpp"

namespace medretrieval::linalg {

namespace {

constexpr double kSmallestCondition = 1e-14;  // reciprocal; below it the digits of a solution are noise

using RowMajorFloat = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

Eigen::MatrixXd in_double(MatrixView from) {
  const Eigen::Map<const RowMajorFloat, 0, Eigen::OuterStride<>> rows(
      from.data(), static_cast<Eigen::Index>(from.rows()), static_cast<Eigen::Index>(from.cols()),
      Eigen::OuterStride<>(static_cast<Eigen::Index>(from.stride())));
  return rows.cast<double>();
}

/// The lower half of transpose(a) a + ridge I, factored.
Eigen::LLT<Eigen::MatrixXd> factor_of(const Eigen::MatrixXd& a, double ridge) {
  Eigen::MatrixXd system = Eigen::MatrixXd::Zero(a.cols(), a.cols());
  system.selfadjointView<Eigen::Lower>().rankUpdate(a.transpose());
  system.diagonal().array() += ridge;
  return Eigen::LLT<Eigen::MatrixXd>(system);
}

}  // namespace

DoubleMatrix ridge_regression(MatrixView x, MatrixView y, double ridge) {
  const Eigen::MatrixXd features = in_double(x);
  const Eigen::MatrixXd targets = in_double(y);
  const bool wide = x.cols() > x.rows();
  const auto factor = factor_of(wide ? Eigen::MatrixXd(features.transpose()) : features, ridge);
  DoubleMatrix solution(x.cols(), y.cols());
  Eigen::Map<RowMajor> weights(solution.values.data(), features.cols(), targets.cols());
  const bool solvable = factor.info() == Eigen::Success && factor.rcond() > kSmallestCondition;
  if (solvable) {
    if (wide) {
      weights.noalias() = features.transpose() * factor.solve(targets);
    } else {
      weights = factor.solve(features.transpose() * targets);
    }
  }
  if (!solvable || !weights.allFinite()) {
    detail::fail(ErrorCode::invalid_argument, "ridge regression: cannot be solved with a ridge of ", ridge,
                 ", expected a larger one");
  }
  return solution;
}

}  // namespace medretrieval::linalg
