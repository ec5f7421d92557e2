#include "model/logistic_regression.hpp"

#include <algorithm>
#include <cmath>

#include "base/portable_math.hpp"
#include "base/progress_counter.hpp"
#include "linalg/matrix_multiply.hpp"
#include "linalg/orthogonal.hpp"
#include "model/lbfgs.hpp"

namespace medretrieval::detail {

namespace {

constexpr double kGradientTolerance = 1e-4;

/// The rows in use, standardized: mean 0, variance 1 in every column that varies.
struct Standardized {
  Matrix features;
  std::vector<float> mean;
  std::vector<float> scale;  // 1 / standard deviation, 0 for constant columns
};

Standardized standardize(MatrixView features, std::span<const std::size_t> rows) {
  Standardized result;
  result.features = Matrix(rows.size(), features.cols());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto from = features.row(rows[i]);
    std::copy(from.begin(), from.end(), result.features.row(i).begin());
  }
  result.mean = linalg::column_means(result.features);
  std::vector<double> squares(features.cols());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto row = result.features.row(i);
    for (std::size_t d = 0; d < row.size(); ++d) {
      row[d] -= result.mean[d];
      squares[d] += static_cast<double>(row[d]) * static_cast<double>(row[d]);
    }
  }
  for (std::size_t d = 0; d < squares.size(); ++d) {
    const double deviation = std::sqrt(squares[d] / static_cast<double>(rows.size()));
    const double magnitude = std::fabs(static_cast<double>(result.mean[d]));
    const bool constant = deviation <= 1e-6 * magnitude || deviation < 1e-12;
    result.scale.push_back(constant ? 0.0F : static_cast<float>(1 / deviation));
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto row = result.features.row(i);
    for (std::size_t d = 0; d < row.size(); ++d) row[d] *= result.scale[d];
  }
  return result;
}

/// Turns a row of logits into posteriors and returns -log of the posteriors of `targets`, summed.
double multinomial_row(std::span<float> row, const std::vector<std::uint8_t>& active,
                       std::span<const ClassId> targets) {
  double largest = -1e300;
  for (std::size_t c = 0; c < row.size(); ++c) {
    if (active[c] != 0) largest = std::max(largest, static_cast<double>(row[c]));
  }
  double sum = 0;
  double loss = 0;
  for (const auto target : targets) loss -= static_cast<double>(row[target]) - largest;
  for (std::size_t c = 0; c < row.size(); ++c) {
    const double value = active[c] != 0 ? portable_exp(static_cast<double>(row[c]) - largest) : 0;
    row[c] = static_cast<float>(value);
    sum += value;
  }
  for (float& value : row) value = static_cast<float>(static_cast<double>(value) / sum);
  return loss + static_cast<double>(targets.size()) * portable_log(sum);
}

/// log(1 + exp(x)) without overflow.
double soft_plus(double x) {
  return x > 0 ? x + portable_log(1 + portable_exp(-x)) : portable_log(1 + portable_exp(x));
}

double one_against_rest_row(std::span<float> row, const std::vector<std::uint8_t>& active,
                            std::span<const ClassId> targets) {
  double loss = 0;
  for (const auto target : targets) loss -= static_cast<double>(row[target]);
  for (std::size_t c = 0; c < row.size(); ++c) {
    if (active[c] != 0) loss += soft_plus(static_cast<double>(row[c]));
    row[c] = active[c] != 0 ? static_cast<float>(portable_sigmoid(static_cast<double>(row[c]))) : 0.0F;
  }
  return loss;
}

/// The penalized likelihood of one training set as a function of (weights, offsets), class by class.
class Likelihood {
 public:
  Likelihood(const Matrix& features, std::vector<std::vector<ClassId>> targets,
             std::vector<std::uint8_t> active, bool one_against_rest, const GateTraining& training)
      : features_(features),
        targets_(std::move(targets)),
        active_(std::move(active)),
        one_against_rest_(one_against_rest),
        training_(training) {}

  double operator()(const std::vector<double>& x, std::vector<double>& gradient) const {
    const std::size_t dimension = features_.cols();
    const std::size_t classes = active_.size();
    const double rows = static_cast<double>(features_.rows());
    Matrix weights(classes, dimension);
    for (std::size_t i = 0; i < classes * dimension; ++i) weights.data()[i] = static_cast<float>(x[i]);
    Matrix posteriors = linalg::multiply_transposed(features_, weights, training_.threads);
    double loss = 0;
    for (std::size_t r = 0; r < features_.rows(); ++r) {
      auto row = posteriors.row(r);
      for (std::size_t c = 0; c < classes; ++c) row[c] += static_cast<float>(x[classes * dimension + c]);
      loss += one_against_rest_ ? one_against_rest_row(row, active_, targets_[r])
                                : multinomial_row(row, active_, targets_[r]);
      for (const auto target : targets_[r]) row[target] -= 1;  // now the residuals
    }
    const auto products = linalg::cross_product(posteriors, features_, training_.threads);
    double penalty = 0;
    for (std::size_t i = 0; i < classes * dimension; ++i) {
      gradient[i] = products.values[i] / rows + training_.regularization * x[i];
      penalty += x[i] * x[i];
    }
    for (std::size_t c = 0; c < classes; ++c) {
      double sum = 0;
      for (std::size_t r = 0; r < features_.rows(); ++r) sum += static_cast<double>(posteriors(r, c));
      gradient[classes * dimension + c] = sum / rows;
    }
    return loss / rows + training_.regularization / 2 * penalty;
  }

 private:
  const Matrix& features_;
  std::vector<std::vector<ClassId>> targets_;
  std::vector<std::uint8_t> active_;
  bool one_against_rest_;
  const GateTraining& training_;
};

}  // namespace

LogisticFit fit_logistic_regression(MatrixView features, const LabelSets& labels,
                                    std::span<const std::size_t> rows, std::size_t class_count,
                                    bool one_against_rest, const GateTraining& training) {
  const Standardized data = standardize(features, rows);
  std::vector<std::vector<ClassId>> targets;
  std::vector<std::uint8_t> active(class_count);
  for (const auto row : rows) {
    targets.emplace_back(labels.row(row).begin(), labels.row(row).end());
    for (const auto label : targets.back()) active[label] = 1;
  }
  const std::size_t dimension = features.cols();
  const Likelihood likelihood(data.features, std::move(targets), active, one_against_rest, training);
  ProgressCounter counter(training.progress, "train class gate", training.iterations);
  const auto found = minimize_lbfgs(likelihood, std::vector<double>(class_count * (dimension + 1)),
                                    training.iterations, kGradientTolerance, [&] { counter.add(1); });
  LogisticFit fit;
  fit.loss = found.value;
  fit.gradient_norm = found.gradient_norm;
  fit.classifier.one_against_rest = one_against_rest;
  fit.classifier.weights = Matrix(class_count, dimension);
  for (std::size_t c = 0; c < class_count; ++c) {
    double offset = found.x[class_count * dimension + c];
    for (std::size_t d = 0; d < dimension; ++d) {
      const double weight = found.x[c * dimension + d] * static_cast<double>(data.scale[d]);
      fit.classifier.weights(c, d) = static_cast<float>(weight);
      offset -= weight * static_cast<double>(data.mean[d]);
    }
    fit.classifier.offsets.push_back(static_cast<float>(offset));
  }
  return fit;
}

Matrix linear_posteriors(const LinearClassifier& classifier, const std::vector<std::uint8_t>& trained,
                         MatrixView features, int threads) {
  Matrix posteriors = linalg::multiply_transposed(features, classifier.weights, threads);
  for (std::size_t r = 0; r < posteriors.rows(); ++r) {
    auto row = posteriors.row(r);
    for (std::size_t c = 0; c < row.size(); ++c) row[c] += classifier.offsets[c];
    if (classifier.one_against_rest) {
      one_against_rest_row(row, trained, {});
    } else {
      multinomial_row(row, trained, {});
    }
  }
  return posteriors;
}

}  // namespace medretrieval::detail
