// The losses of classifier and decoder.
#include <gtest/gtest.h>

#include <cmath>
#include <medretrieval/error.hpp>
#include <vector>

#include "loss_batches.hpp"
#include "torch/losses/classification.hpp"
#include "torch/losses/reconstruction.hpp"

namespace medretrieval::deep {
namespace {

Tensor matrix(const std::vector<double>& values) {
  return ::torch::tensor(values, ::torch::kFloat64).view({-1, 2});
}

TEST(ClassificationLoss, OneLabelARow) {
  // softmax (1/4, 3/4), class 0: log 4 = 1.3862944; (1/2, 1/2), class 1: log 2 = .6931472; the last has no
  // label
  const Tensor logits = matrix({0, std::log(3.0), 0, 0, 5, -7});
  const Tensor labels = matrix({1, 0, 0, 1, 0, 0});
  EXPECT_NEAR(classification_loss(logits, labels, false).item<double>(), 1.0397208, 1e-6);
  // weights 1 and 3: (1.3862944 + 3 * .6931472) / 4
  const Tensor weights = ::torch::tensor({1., 3.}, ::torch::kFloat64);
  EXPECT_NEAR(classification_loss(logits, labels, false, weights).item<double>(), 0.8664340, 1e-6);
}

TEST(ClassificationLoss, SeveralLabelsARow) {
  // log 2 = .6931472 and -log(1/4) = 1.3862944; log 2 twice
  const Tensor logits = matrix({0, std::log(3.0), 0, 0});
  const Tensor labels = matrix({1, 0, 1, 1});
  EXPECT_NEAR(classification_loss(logits, labels, true).item<double>(), 0.8664340, 1e-6);
  // present labels of class 0 count twice: (1.3862944 + 1.3862944 + 1.3862944 + .6931472) / 4
  const Tensor weights = ::torch::tensor({2., 1.}, ::torch::kFloat64);
  EXPECT_NEAR(classification_loss(logits, labels, true, weights).item<double>(), 1.2130076, 1e-6);
  // a row without a label is an example of no class
  EXPECT_NEAR(classification_loss(matrix({-9, -9}), matrix({0, 0}), true).item<double>(),
              std::log1p(std::exp(-9)), 1e-9);
}

TEST(ClassificationLoss, GradientEqualsFiniteDifferences) {
  ::torch::manual_seed(1);
  const Tensor logits = ::torch::randn({5, 2}, ::torch::kFloat64);
  const Tensor labels = matrix({1, 0, 0, 1, 0, 0, 1, 0, 0, 1});
  const Tensor weights = ::torch::tensor({0.5, 2.}, ::torch::kFloat64);
  for (const bool several : {false, true}) {
    expect_gradient_of_differences(
        [&](const Tensor& point) { return classification_loss(point, labels, several, weights); }, logits);
  }
}

TEST(ClassificationLoss, StaysFinite) {
  for (const bool several : {false, true}) {
    for (const auto& labels : {::torch::zeros({2, 3}), ::torch::eye(3).narrow(0, 0, 2)}) {
      const Tensor logits =
          (::torch::ones({2, 3}) * ::torch::tensor({1e4F, -1e4F, 0.F})).requires_grad_(true);
      const Tensor loss = classification_loss(logits, labels, several);
      loss.backward();
      EXPECT_TRUE(::torch::isfinite(loss).item<bool>());
      EXPECT_TRUE(::torch::isfinite(logits.grad()).all().item<bool>());
    }
  }
  EXPECT_EQ(classification_loss(::torch::ones({2, 3}), ::torch::zeros({2, 3}), false).item<double>(), 0);
}

TEST(ClassWeights, AreInverseFrequencies) {
  // Class 0 in 3 rows, class 1 in 1, class 2 in none; 1 row without a label.
  const Tensor labels = ::torch::tensor(
      {{1., 0., 0.}, {1., 0., 0.}, {1., 0., 0.}, {0., 1., 0.}, {0., 0., 0.}}, ::torch::kFloat64);
  const auto near = [](const Tensor& weights, const std::vector<double>& expected) {
    return weights.allclose(::torch::tensor(expected, ::torch::kFloat64), 1e-9, 1e-9);
  };
  EXPECT_TRUE(near(class_weights(labels, false), {4.0 / 9, 4.0 / 3, 1}));
  EXPECT_TRUE(near(class_weights(labels, true), {2.0 / 3, 4, 1}));
  EXPECT_TRUE(near(class_weights(labels, true, 2), {2.0 / 3, 2, 1}));
  EXPECT_TRUE(near(class_weights(::torch::ones({4, 1}, ::torch::kFloat64), true, 8), {0.125}));
}

TEST(ReconstructionLoss, AddsCrossEntropyAndSquaredError) {
  // sigmoid 1/2 and 3/4 against 1 and 1/2: log 2 = .6931472 and (log(4/3) + log 4) / 2 = .8369882, mean
  // .7650677; squares 1/4 and 1/16, mean .15625
  const Tensor logits = matrix({0, std::log(3.0)});
  const Tensor target = matrix({1, 0.5});
  EXPECT_NEAR(reconstruction_loss(logits, target, 0).item<double>(), 0.7650677, 1e-6);
  EXPECT_NEAR(reconstruction_loss(logits, target, 2).item<double>(), 0.7650677 + 0.3125, 1e-6);
}

TEST(ReconstructionLoss, GradientEqualsFiniteDifferences) {
  ::torch::manual_seed(2);
  const Tensor target = ::torch::rand({2, 1, 3, 3}, ::torch::kFloat64);
  expect_gradient_of_differences(
      [&](const Tensor& logits) { return reconstruction_loss(logits, target, 0.7); },
      ::torch::randn({2, 1, 3, 3}, ::torch::kFloat64));
}

TEST(ReconstructionLoss, StaysFiniteAndRefusesOtherShapes) {
  const Tensor logits = ::torch::tensor({{1e4F, -1e4F}}).requires_grad_(true);
  const Tensor loss = reconstruction_loss(logits, ::torch::tensor({{0.F, 1.F}}), 1);
  loss.backward();
  EXPECT_TRUE(::torch::isfinite(loss).item<bool>());
  EXPECT_TRUE(::torch::isfinite(logits.grad()).all().item<bool>());
  EXPECT_THROW(reconstruction_loss(::torch::zeros({1, 1, 4, 4}), ::torch::zeros({1, 4, 4}), 1), Error);
}

}  // namespace
}  // namespace medretrieval::deep
