// What a training minimizes: the sum of its terms with their weights.
#include "torch/objective.hpp"

#include "loss_batches.hpp"
#include "support/expect_error.hpp"

namespace medretrieval::deep {
namespace {

HashBatch batch_with(const Tensor& hash) {
  return batch_of(hash, two_alike());
}

/// The loss of codes alone: nothing is asked of classes or pictures.
double value_of(const Objective& objective, const HashBatch& batch) {
  const BatchLoss loss(objective, batch.hash.size(1), batch.labels.to(::torch::kFloat32), false, false, 1);
  NetworkOutput output;
  output.hash = batch.hash;
  return loss(output, batch, {}).item<double>();
}

Objective codes_alone() {
  Objective objective;
  objective.classification = 0;
  objective.hashing = "dsh";
  return objective;
}

TEST(Objectives, AddRegularizersOfCodesAfterTanh) {
  const HashBatch batch =
      batch_with(::torch::atanh(::torch::tensor({{.5, .25}, {-.5, .5}, {.75, .5}}, ::torch::kFloat64)));
  Objective objective = codes_alone();
  const double bare = value_of(objective, batch);
  // (u - sign u)^2: .25, .5625, .25, .25, .0625, .25; mean 1.625 / 6
  objective.quantization = 3;
  EXPECT_NEAR(value_of(objective, batch) - bare, 3 * 1.625 / 6, 1e-9);
  // means of bits: .25 and 1.25 / 3; squares .0625 and .1736111; mean .1180556
  objective.bit_balance = 2;
  EXPECT_NEAR(value_of(objective, batch) - bare, 3 * 1.625 / 6 + 2 * 0.1180556, 1e-6);
  objective.hashing_weight = 0.5;
  EXPECT_NEAR(value_of(objective, batch) - bare / 2, 3 * 1.625 / 6 + 2 * 0.1180556, 1e-6);
}

TEST(Objectives, HaveTheGradientsOfDifferences) {
  Objective objective = codes_alone();
  objective.quantization = 0.7;
  objective.bit_balance = 0.3;
  const Tensor hash = ::torch::tensor({{.5, -.25}, {-1.5, .5}, {.75, 2.}}, ::torch::kFloat64);
  const BatchLoss loss(objective, 2, two_alike().to(::torch::kFloat32), false, false, 1);
  expect_gradient_of_differences(
      [&](const Tensor& moved) {
        NetworkOutput output;
        output.hash = moved;
        return loss(output, batch_with(moved), {});
      },
      hash);
}

TEST(Objectives, RegularizersAloneAreNoObjective) {
  Objective objective;
  objective.classification = 0;
  objective.quantization = 1;
  EXPECT_ERROR(BatchLoss(objective, 2, two_alike().to(::torch::kFloat32), false, false, 1), invalid_argument,
               "got neither");
}

}  // namespace
}  // namespace medretrieval::deep
