// Batches for tests of losses, and the comparison of gradients with finite differences.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <string>

#include "torch/hashing_loss.hpp"

namespace medretrieval::deep {

/// The name of a loss as part of the name of a test.
inline std::string test_name(const ::testing::TestParamInfo<std::string>& loss) {
  std::string name = loss.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

/// Labels of three rows: the first two alike, the third apart.
inline Tensor two_alike() {
  return ::torch::tensor({{1., 0.}, {1., 0.}, {0., 1.}}, ::torch::kFloat64);
}

/// A batch that is its own training set. `hash` and `labels` are float64.
inline HashBatch batch_of(const Tensor& hash, const Tensor& labels) {
  HashBatch batch;
  batch.hash = hash;
  batch.labels = labels;
  batch.rows = ::torch::arange(hash.size(0));
  return batch;
}

/// The loss `name` made for the batch as training set.
inline std::unique_ptr<HashingLoss> loss_for(const std::string& name, const Parameters& parameters,
                                             const HashBatch& batch) {
  return make_hashing_loss(name, parameters, {batch.hash.size(1), batch.labels.to(::torch::kFloat32), 1});
}

inline double value_of(const std::string& name, const Parameters& parameters, const HashBatch& batch) {
  return (*loss_for(name, parameters, batch))(batch).item<double>();
}

/// \param point float64, contiguous
inline void expect_gradient_of_differences(const std::function<Tensor(const Tensor&)>& function,
                                           const Tensor& point) {
  Tensor variable = point.detach().clone().requires_grad_(true);
  function(variable).backward();
  const Tensor gradient = variable.grad().flatten();
  ::torch::NoGradGuard guard;
  constexpr double kStep = 1e-6;
  for (std::int64_t i = 0; i < gradient.size(0); ++i) {
    const auto moved = [&](double step) {
      Tensor copy = point.detach().clone();
      copy.view(-1)[i] += step;
      return function(copy).item<double>();
    };
    const double slope = (moved(kStep) - moved(-kStep)) / (2 * kStep);
    EXPECT_NEAR(gradient[i].item<double>(), slope, 1e-6 * std::max(1.0, std::abs(slope))) << "entry " << i;
  }
}

}  // namespace medretrieval::deep
