#include <algorithm>
#include <cmath>

#include "base/option_values.hpp"
#include "base/portable_math.hpp"
#include "base/random.hpp"
#include "imaging/classifier_method.hpp"
#include "linalg/matrix_multiply.hpp"
#include "linalg/ridge.hpp"

namespace medretrieval::imaging {

namespace {

/// The random layer: nodes x dimension and an offset for each node.
struct HiddenLayer {
  Matrix weights;
  std::vector<float> offsets;

  HiddenLayer(std::size_t nodes, std::size_t dimension, std::uint64_t seed)
      : weights(nodes, dimension), offsets(nodes) {
    detail::Random random(seed);
    const double deviation = 1 / std::sqrt(static_cast<double>(dimension));
    for (std::size_t node = 0; node < nodes; ++node) {
      for (float& weight : weights.row(node)) weight = static_cast<float>(deviation * random.normal());
      offsets[node] = static_cast<float>(2 * random.uniform() - 1);
    }
  }

  Matrix outputs(MatrixView features, int threads) const {
    Matrix hidden = linalg::multiply_transposed(features, weights, threads);
    for (std::size_t r = 0; r < hidden.rows(); ++r) {
      auto row = hidden.row(r);
      for (std::size_t node = 0; node < row.size(); ++node) {
        row[node] =
            static_cast<float>(detail::portable_sigmoid(static_cast<double>(row[node] + offsets[node])));
      }
    }
    return hidden;
  }
};

class ElmClassifier final : public FittedClassifier {
 public:
  ElmClassifier(HiddenLayer hidden, Matrix output) : hidden_(std::move(hidden)), output_(std::move(output)) {}

  Matrix scores(MatrixView standardized, int threads) const override {
    return linalg::multiply_transposed(hidden_.outputs(standardized, threads), output_, threads);
  }

 private:
  HiddenLayer hidden_;
  Matrix output_;  // classes x nodes
};

std::vector<Parameters> candidates(const Parameters& given, std::size_t /*dimension*/) {
  if (detail::real(given, "ridge") != 0) return {given};
  std::vector<Parameters> all;
  for (const double ridge : {1e3, 1e2, 1e1, 1e0, 1e-1, 1e-2, 1e-3}) {
    all.push_back(given);
    all.back()["ridge"] = ridge;
  }
  return all;
}

std::unique_ptr<FittedClassifier> fit(const Parameters& parameters, const ClassRows& rows, std::uint64_t seed,
                                      int threads) {
  HiddenLayer hidden(detail::whole(parameters, "nodes"), rows.features.cols(), seed);
  const Matrix outputs = hidden.outputs(rows.features, threads);
  Matrix targets(rows.features.rows(), rows.class_count);
  for (std::size_t r = 0; r < targets.rows(); ++r) {
    std::fill(targets.row(r).begin(), targets.row(r).end(), -1.0F);
    targets(r, rows.classes[r]) = 1;
  }
  const auto solution = linalg::ridge_regression(outputs, targets, detail::real(parameters, "ridge"));
  Matrix output(solution.cols, solution.rows);
  for (std::size_t label = 0; label < output.rows(); ++label) {
    for (std::size_t node = 0; node < output.cols(); ++node) {
      output(label, node) = static_cast<float>(solution(node, label));
    }
  }
  return std::make_unique<ElmClassifier>(std::move(hidden), std::move(output));
}

}  // namespace

ClassifierMethod elm_method() {
  return {{"elm",
           "extreme learning machine: random hidden layer, output by ridge regression (Huang et al. 2006)",
           {{"nodes", std::int64_t{500}, 1, 4096, "of the hidden layer"},
            {"ridge", 0.0, 0, 1e12, "weight of the squared output weights; 0: chosen by cross-validation"},
            folds_spec()}},
          candidates,
          fit};
}

}  // namespace medretrieval::imaging
