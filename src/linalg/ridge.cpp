#include "linalg/ridge.hpp"

#include <Eigen/Cholesky>

#include "base/concat.hpp"

namespace medretrieval::linalg {

namespace {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

Eigen::Map<const RowMajor> mapped(const DoubleMatrix& matrix) {
  return {matrix.values.data(), static_cast<Eigen::Index>(matrix.rows),
          static_cast<Eigen::Index>(matrix.cols)};
}

}  // namespace

DoubleMatrix solve_ridge(const DoubleMatrix& gram, const DoubleMatrix& cross, double ridge) {
  Eigen::MatrixXd system = mapped(gram);
  system.diagonal().array() += ridge;
  const Eigen::LLT<Eigen::MatrixXd> factor(system);
  DoubleMatrix solution(cross.rows, cross.cols);
  Eigen::Map<RowMajor> weights(solution.values.data(), static_cast<Eigen::Index>(cross.rows),
                               static_cast<Eigen::Index>(cross.cols));
  if (factor.info() == Eigen::Success) weights = factor.solve(mapped(cross));
  if (factor.info() != Eigen::Success || !weights.allFinite()) {
    detail::fail(ErrorCode::invalid_argument,
                 "ridge regression: the normal equations cannot be solved with a ridge of ", ridge,
                 "; expected a larger one");
  }
  return solution;
}

}  // namespace medretrieval::linalg
