// What every hashing loss must do: gradients equal finite differences, shapes, no NaN on batches without pairs.
#include <gtest/gtest.h>

#include "torch/hashing_loss.hpp"
#include "torch/losses/pairs.hpp"

namespace medretrieval::deep {
namespace {

constexpr std::int64_t kRows = 6;
constexpr std::int64_t kBits = 8;

HashBatch make_batch(bool several_labels) {
  ::torch::manual_seed(3);
  HashBatch batch;
  batch.hash = ::torch::randn({kRows, kBits}, ::torch::kFloat64) * 0.7;
  batch.labels =
      several_labels
          ? ::torch::tensor(
                {{1., 1., 0.}, {0., 1., 0.}, {0., 0., 1.}, {1., 0., 1.}, {0., 1., 1.}, {1., 0., 0.}},
                ::torch::kFloat64)
          : ::torch::eye(3, ::torch::kFloat64).repeat({2, 1});
  batch.rows = ::torch::arange(kRows);
  batch.progress = 0.4;
  return batch;
}

class EveryLoss : public ::testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<HashingLoss> make(const HashBatch& batch) {
    return make_hashing_loss(GetParam(), {}, {kBits, batch.labels.to(::torch::kFloat32), 1});
  }
};

TEST_P(EveryLoss, GradientEqualsFiniteDifferences) {
  for (const bool several : {false, true}) {
    HashBatch batch = make_batch(several);
    const auto loss = make(batch);
    batch.hash.requires_grad_(true);
    (*loss)(batch).backward();
    const Tensor gradient = batch.hash.grad().clone();
    ::torch::NoGradGuard guard;
    const double step = 1e-6;
    for (std::int64_t i = 0; i < kRows; ++i) {
      for (std::int64_t j = 0; j < kBits; ++j) {
        HashBatch above = batch;
        HashBatch below = batch;
        above.hash = batch.hash.detach().clone();
        below.hash = batch.hash.detach().clone();
        above.hash[i][j] += step;
        below.hash[i][j] -= step;
        const double slope = ((*loss)(above).item<double>() - (*loss)(below).item<double>()) / (2 * step);
        EXPECT_NEAR(gradient[i][j].item<double>(), slope, 1e-6 * std::max(1.0, std::abs(slope)))
            << "row " << i << " bit " << j;
      }
    }
  }
}

TEST_P(EveryLoss, StaysFiniteWithoutPairsOfOneKind) {
  for (const std::int64_t rows : {1, 2}) {
    HashBatch batch = make_batch(false);
    const auto loss = make(batch);
    batch.hash = batch.hash.narrow(0, 0, rows).clone().requires_grad_(true);
    batch.labels = batch.labels.narrow(0, 0, rows);
    batch.rows = batch.rows.narrow(0, 0, rows);
    const Tensor value = (*loss)(batch);
    value.backward();
    EXPECT_EQ(value.dim(), 0);
    EXPECT_TRUE(::torch::isfinite(value).item<bool>());
    EXPECT_TRUE(::torch::isfinite(batch.hash.grad()).all().item<bool>());
  }
}

INSTANTIATE_TEST_SUITE_P(Losses, EveryLoss, ::testing::ValuesIn(hashing_loss_names()));

TEST(PairWeights, GiveBothKindsTheSameMass) {
  const Tensor similar = similarity(make_batch(false).labels);
  const Tensor weights = losses::balanced_pair_weights(similar);
  EXPECT_NEAR((weights * similar).sum().item<double>(), 0.5, 1e-12);
  EXPECT_NEAR((weights * (1 - similar)).sum().item<double>(), 0.5, 1e-12);
  EXPECT_EQ(weights.diagonal().abs().sum().item<double>(), 0);
}

}  // namespace
}  // namespace medretrieval::deep
