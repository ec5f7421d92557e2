// Logistic regression by L-BFGS: small, dense, repeatable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <medretrieval/class_gate.hpp>
#include <medretrieval/labels.hpp>
#include <medretrieval/matrix.hpp>
#include <vector>

namespace medretrieval::detail {

struct LogisticFit {
  LinearClassifier classifier;  ///< for features as given; the standardization is folded in
  double loss = 0;              ///< mean negative log-likelihood plus the penalty
  double gradient_norm = 0;
};

/// Minimises the mean negative log-likelihood + regularization / 2 * |W|^2 over weights of standardized
/// features. Classes without rows keep zero weights and, among several, posterior 0.
/// \param rows which rows of `features` and `labels` to use; each has at least one label
LogisticFit fit_logistic_regression(MatrixView features, const LabelSets& labels,
                                    std::span<const std::size_t> rows, std::size_t class_count,
                                    bool one_against_rest, const GateTraining& training);

/// Posteriors of a fitted classifier; classes with trained[c] == 0 get 0.
Matrix linear_posteriors(const LinearClassifier& classifier, const std::vector<std::uint8_t>& trained,
                         MatrixView features, int threads);

}  // namespace medretrieval::detail
