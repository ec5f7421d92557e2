#include "linalg/orthogonal.hpp"

#include <Eigen/Eigenvalues>
#include <Eigen/QR>
#include <Eigen/SVD>
#include <algorithm>
#include <cmath>

#include "base/concat.hpp"

namespace medretrieval::linalg {

namespace {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

Matrix to_float(const RowMajor& from) {
  Matrix to(static_cast<std::size_t>(from.rows()), static_cast<std::size_t>(from.cols()));
  for (std::size_t i = 0; i < to.rows() * to.cols(); ++i) to.data()[i] = static_cast<float>(from.data()[i]);
  return to;
}

}  // namespace

std::vector<float> column_means(MatrixView points) {
  std::vector<double> sums(points.cols());
  for (std::size_t r = 0; r < points.rows(); ++r) {
    const auto row = points.row(r);
    for (std::size_t c = 0; c < row.size(); ++c) sums[c] += static_cast<double>(row[c]);
  }
  std::vector<float> means(points.cols());
  for (std::size_t c = 0; c < means.size(); ++c) {
    means[c] = static_cast<float>(sums[c] / static_cast<double>(points.rows()));
  }
  return means;
}

Matrix centered(MatrixView points, const std::vector<float>& mean) {
  Matrix result = Matrix::copy_of(points);
  for (std::size_t r = 0; r < result.rows(); ++r) {
    auto row = result.row(r);
    for (std::size_t c = 0; c < row.size(); ++c) row[c] -= mean[c];
  }
  return result;
}

PrincipalComponents principal_components(MatrixView points, std::size_t count, int threads) {
  if (points.cols() > kMaxPrincipalDimension) {
    detail::fail(ErrorCode::limit_exceeded, "principal components are found for up to ",
                 kMaxPrincipalDimension, " dimensions, got ", points.cols());
  }
  PrincipalComponents result;
  result.mean = column_means(points);
  const Matrix moved = centered(points, result.mean);
  DoubleMatrix covariance = cross_product(moved, moved, threads);
  const auto size = static_cast<Eigen::Index>(points.cols());
  const Eigen::Map<RowMajor> symmetric(covariance.values.data(), size, size);
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(symmetric / static_cast<double>(points.rows()));
  if (solver.info() != Eigen::Success) {
    detail::fail(ErrorCode::invalid_argument, "the eigenvalues of the covariance did not converge");
  }
  result.directions = Matrix(count, points.cols());
  for (std::size_t i = 0; i < count; ++i) {
    const auto column = size - 1 - static_cast<Eigen::Index>(i);  // Eigen sorts ascending
    result.variances.push_back(std::max(0.0, solver.eigenvalues()[column]));
    const auto direction = solver.eigenvectors().col(column);
    Eigen::Index largest = 0;
    direction.cwiseAbs().maxCoeff(&largest);
    const double sign = direction[largest] < 0 ? -1 : 1;
    for (Eigen::Index c = 0; c < size; ++c) {
      result.directions(i, static_cast<std::size_t>(c)) = static_cast<float>(sign * direction[c]);
    }
  }
  return result;
}

Matrix random_rotation(std::size_t size, detail::Random& random) {
  const auto n = static_cast<Eigen::Index>(size);
  Eigen::MatrixXd gaussian(n, n);
  for (Eigen::Index i = 0; i < n * n; ++i) gaussian.data()[i] = random.normal();
  const Eigen::HouseholderQR<Eigen::MatrixXd> qr(gaussian);
  Eigen::MatrixXd rotation = qr.householderQ();
  for (Eigen::Index c = 0; c < n; ++c) {
    if (qr.matrixQR()(c, c) < 0) rotation.col(c) = -rotation.col(c);
  }
  return to_float(rotation);
}

Matrix nearest_orthogonal(const DoubleMatrix& m) {
  const auto n = static_cast<Eigen::Index>(m.rows);
  const Eigen::MatrixXd square = Eigen::Map<const RowMajor>(m.values.data(), n, n);
  const Eigen::BDCSVD<Eigen::MatrixXd> svd(square, Eigen::ComputeFullU | Eigen::ComputeFullV);
  return to_float(svd.matrixU() * svd.matrixV().transpose());
}

}  // namespace medretrieval::linalg
