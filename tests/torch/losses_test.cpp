// What every hashing loss must do: gradients equal finite differences, and nothing overflows.
#include <gtest/gtest.h>

#include <medretrieval/error.hpp>

#include "loss_batches.hpp"
#include "torch/losses/pairs.hpp"

namespace medretrieval::deep {
namespace {

constexpr std::int64_t kRows = 6;
constexpr std::int64_t kBits = 8;

HashBatch make_batch(bool several_labels) {
  ::torch::manual_seed(3);
  const Tensor hash = ::torch::randn({kRows, kBits}, ::torch::kFloat64) * 0.7;
  const Tensor several =
      ::torch::tensor({{1., 1., 0.}, {0., 1., 0.}, {0., 0., 0.}, {1., 1., 0.}, {0., 1., 1.}, {1., 0., 0.}},
                      ::torch::kFloat64);
  HashBatch batch =
      batch_of(hash, several_labels ? several : ::torch::eye(3, ::torch::kFloat64).repeat({2, 1}));
  batch.progress = 0.4;
  return batch;
}

void expect_finite(const HashingLoss& loss, HashBatch batch) {
  batch.hash = batch.hash.detach().clone().requires_grad_(true);
  const Tensor value = loss(batch);
  value.backward();
  EXPECT_EQ(value.dim(), 0);
  EXPECT_EQ(value.dtype(), batch.hash.dtype());
  EXPECT_TRUE(::torch::isfinite(value).item<bool>()) << value;
  EXPECT_TRUE(::torch::isfinite(batch.hash.grad()).all().item<bool>());
}

class EveryLoss : public ::testing::TestWithParam<std::string> {};

TEST_P(EveryLoss, GradientEqualsFiniteDifferences) {
  for (const bool several : {false, true}) {
    const HashBatch batch = make_batch(several);
    const auto loss = loss_for(GetParam(), {}, batch);
    const auto at = [&](const Tensor& hash) {
      HashBatch moved = batch;
      moved.hash = hash;
      return (*loss)(moved);
    };
    expect_gradient_of_differences(at, batch.hash);
  }
}

TEST(DhLoss, HasTheGradientOfDifferencesToTheWeights) {
  HashBatch batch = make_batch(false);
  const auto loss = loss_for("dh", {}, batch);
  ::torch::manual_seed(3);
  const auto at = [&](const Tensor& weights) {
    batch.weights = {weights};
    return (*loss)(batch);
  };
  expect_gradient_of_differences(at, ::torch::randn({4, 6}, ::torch::kFloat64));
}

TEST_P(EveryLoss, StaysFiniteWithoutPairsOfOneKind) {
  const HashBatch batch = make_batch(false);
  const auto loss = loss_for(GetParam(), {}, batch);
  for (const auto& rows : {std::vector<std::int64_t>{0}, {0, 1}, {0, 3}}) {
    const Tensor chosen = ::torch::tensor(rows);
    HashBatch part = batch;
    part.hash = batch.hash.index_select(0, chosen);
    part.labels = batch.labels.index_select(0, chosen);
    part.rows = chosen;
    expect_finite(*loss, part);
    part.labels = ::torch::zeros_like(part.labels);
    expect_finite(*loss, part);
  }
}

TEST_P(EveryLoss, StaysFiniteForLargeAndForEqualCodes) {
  ::torch::manual_seed(5);
  HashBatch batch = batch_of(::torch::rand({12, 64}) * 2e4 - 1e4, ::torch::eye(4).repeat({3, 1}));
  batch.progress = 1;
  const auto loss = loss_for(GetParam(), {}, batch);
  expect_finite(*loss, batch);
  batch.hash = batch.hash.sign() * 1e4;
  expect_finite(*loss, batch);
  for (const double value : {-1e4, 0.0, 1e-30, 1e4}) {
    batch.hash = ::torch::full({12, 64}, value);
    expect_finite(*loss, batch);
  }
}

TEST_P(EveryLoss, DoesNotDependOnTheOrderOfRows) {
  const HashBatch batch = make_batch(true);
  const auto loss = loss_for(GetParam(), {}, batch);
  const Tensor order = ::torch::tensor({4, 2, 0, 5, 1, 3});
  HashBatch shuffled = batch;
  shuffled.hash = batch.hash.index_select(0, order);
  shuffled.labels = batch.labels.index_select(0, order);
  shuffled.rows = batch.rows.index_select(0, order);
  EXPECT_NEAR((*loss)(shuffled).item<double>(), (*loss)(batch).item<double>(), 1e-12);
}

INSTANTIATE_TEST_SUITE_P(Losses, EveryLoss, ::testing::ValuesIn(hashing_loss_names()), test_name);

/// Losses over pairs or triplets with options that leave little but these terms.
struct PairLoss {
  std::string name;
  Parameters parameters;
};

class EveryPairLoss : public ::testing::TestWithParam<PairLoss> {
 protected:
  /// Rows 0 and 1 are similar and differ in bits 4 to 7; row 2 is similar to neither.
  HashBatch make() {
    const Tensor signs = ::torch::tensor({{1., 1., 1., 1., 1., 1., 1., 1.},
                                          {1., 1., 1., 1., -1., -1., -1., -1.},
                                          {1., -1., 1., -1., 1., -1., 1., -1.}},
                                         ::torch::kFloat64);
    return batch_of(0.8 * signs, two_alike());
  }
  double value(const HashBatch& batch) { return value_of(GetParam().name, GetParam().parameters, batch); }
};

TEST_P(EveryPairLoss, FallsWhenASimilarPairMovesTogether) {
  HashBatch batch = make();
  const double before = value(batch);
  batch.hash[1][7] = -0.4;
  EXPECT_LT(value(batch), before);
  batch.hash[1][7] = -1.2;
  EXPECT_GT(value(batch), before);
}

TEST_P(EveryPairLoss, FallsWhenADissimilarPairMovesApart) {
  HashBatch batch = make();
  const double before = value(batch);
  batch.hash[2][0] = 0.4;
  EXPECT_LT(value(batch), before);
  batch.hash[2][0] = 0.8;
  batch.hash[2][1] = -0.4;
  EXPECT_GT(value(batch), before);
}

INSTANTIATE_TEST_SUITE_P(
    Losses, EveryPairLoss,
    ::testing::Values(PairLoss{"contrastive", {{"alpha", 0.0}}}, PairLoss{"dsh", {{"alpha", 0.0}}},
                      PairLoss{"triplet-dnnh", {}}, PairLoss{"triplet-ath", {}}, PairLoss{"hashnet", {}},
                      PairLoss{"bayesian", {{"quantization", 0.0}}}, PairLoss{"dpsh", {{"eta", 0.0}}},
                      PairLoss{"idhn", {{"alpha", 0.0}}},
                      PairLoss{"dh", {{"variance", 0.0}, {"independence", 0.0}, {"scatter", 100.0}}}));

TEST(PairWeights, GiveBothKindsTheSameMass) {
  for (const bool several : {false, true}) {
    const Tensor labels = make_batch(several).labels;
    const Tensor similar = similarity(labels);
    // HashNet's weights, and those of paper 002 with the overlap of labels
    for (const Tensor& shares : {similar, losses::label_overlap(labels)}) {
      const Tensor weights = losses::balanced_pair_weights(shares);
      EXPECT_NEAR((weights * similar).sum().item<double>(), 0.5, 1e-12);
      EXPECT_NEAR((weights * (1 - similar)).sum().item<double>(), 0.5, 1e-12);
      EXPECT_EQ(weights.diagonal().abs().sum().item<double>(), 0);
    }
  }
}

TEST(PairWeights, GiveAllMassToTheOnlyKind) {
  const Tensor alike = ::torch::ones({3, 3}, ::torch::kFloat64);
  EXPECT_NEAR(losses::balanced_pair_weights(alike).sum().item<double>(), 1, 1e-12);
  EXPECT_NEAR(losses::balanced_pair_weights(1 - alike).sum().item<double>(), 1, 1e-12);
  EXPECT_EQ(losses::balanced_pair_weights(alike.narrow(0, 0, 1).narrow(1, 0, 1)).item<double>(), 0);
}

ErrorCode refusal_of(const std::string& name, const Parameters& parameters, const HashingTask& task) {
  try {
    make_hashing_loss(name, parameters, task);
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "not refused";
  return ErrorCode::cancelled;
}

TEST(MakeHashingLoss, RefusesWhatDoesNotFit) {
  const Tensor labels = ::torch::eye(3);
  EXPECT_EQ(refusal_of("none", {}, {8, labels}), ErrorCode::not_found);
  EXPECT_EQ(refusal_of("dsh", {{"margins", 1.0}}, {8, labels}), ErrorCode::invalid_argument);
  EXPECT_EQ(refusal_of("dsh", {}, {0, labels}), ErrorCode::invalid_argument);
  EXPECT_EQ(refusal_of("dsh", {}, {8, ::torch::ones({3})}), ErrorCode::invalid_argument);
  EXPECT_EQ(refusal_of("dsh", {}, {8, Tensor()}), ErrorCode::invalid_argument);
  EXPECT_EQ(refusal_of("csq", {}, {8, labels.narrow(1, 0, 1)}), ErrorCode::invalid_argument);
  EXPECT_EQ(refusal_of("fcdn-codes", {}, {8, labels.narrow(1, 0, 1)}), ErrorCode::invalid_argument);
  EXPECT_EQ(refusal_of("fcdn-codes", {}, {2, labels}), ErrorCode::invalid_argument);
  EXPECT_EQ(refusal_of("cnnh", {{"regression", std::string("cubed")}}, {8, labels}),
            ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace medretrieval::deep
