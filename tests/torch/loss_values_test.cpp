// The values of the hashing losses, worked out by hand. D is a distance, p an inner product.
#include <gtest/gtest.h>

#include <vector>

#include "loss_batches.hpp"
#include "torch/losses/cnnh_codes.hpp"
#include "torch/losses/regularizers.hpp"
#include "torch/losses/target_codes.hpp"

namespace medretrieval::deep {
namespace {

constexpr double kTolerance = 1e-6;

Tensor matrix(const std::vector<double>& values, std::int64_t columns = 2) {
  return ::torch::tensor(values, ::torch::kFloat64).view({-1, columns});
}

/// Rows 0 and 1 similar, 2 dissimilar; codes before any activation.
HashBatch raw(const std::vector<double>& values) {
  return batch_of(matrix(values), two_alike());
}

/// The same from codes after tanh.
HashBatch through_tanh(const std::vector<double>& values) {
  return batch_of(::torch::atanh(matrix(values)), two_alike());
}

TEST(LossValues, Contrastive) {
  // D = 2, sqrt 5, sqrt 5. 1/2 2^2 = 2; 1/2 (3 - 2.2360680)^2 = 1/2 0.5835921 twice. Mean over 3 pairs
  // 0.8611974. | |f| - 1 |: 1, 1 and 0, mean 2/3, times alpha 0.5.
  const HashBatch batch = raw({1, 2, 1, 0, -1, 1});
  EXPECT_NEAR(value_of("contrastive", {{"margin", 3.0}}, batch), 0.8611974 + 0.3333333, kTolerance);
  // The default margin is sqrt(2 * 2) = 2: both dissimilar pairs rest.
  EXPECT_NEAR(value_of("contrastive", {}, batch), 2.0 / 3 + 1.0 / 3, kTolerance);
}

TEST(LossValues, Dsh) {
  // D^2 = 4, 2, 2; m = 4: 1/2 4 = 2; 1/2 (4 - 2) = 1 twice; mean 4/3. | |u| - 1 |: 1, 1, 1; twice 0.01.
  EXPECT_NEAR(value_of("dsh", {}, raw({1, 2, 1, 0, 0, 1})), 1.3333333 + 0.02, kTolerance);
}

TEST(LossValues, TripletDnnh) {
  // u = (.5, .5), (.5, .75), (.25, .5). Anchor 0: 1 + .0625 - .0625; anchor 1: 1 + .0625 - .125; mean .96875.
  const HashBatch batch = batch_of(::torch::logit(matrix({.5, .5, .5, .75, .25, .5})), two_alike());
  EXPECT_NEAR(value_of("triplet-dnnh", {}, batch), 0.96875, kTolerance);
  // Margin 0.03: anchor 0 has .03, anchor 1 max(0, .0925 - .125) = 0.
  EXPECT_NEAR(value_of("triplet-dnnh", {{"margin", 0.03}}, batch), 0.015, kTolerance);
}

TEST(LossValues, TripletAth) {
  // m = 2/2. Anchor 0: 1 + 1 - 1.25 = .75; anchor 1: 1 + 1 - .25 = 1.75; mean 1.25.
  EXPECT_NEAR(value_of("triplet-ath", {}, raw({1, 1, 1, 0, .5, 0})), 1.25, kTolerance);
  // D^2 = 0 and 4: both anchors rest at a margin of 1, and lack 1 at one of 5.
  EXPECT_NEAR(value_of("triplet-ath", {}, raw({0, 0, 0, 0, 2, 0})), 0, kTolerance);
  EXPECT_NEAR(value_of("triplet-ath", {{"margin", 5.0}}, raw({0, 0, 0, 0, 2, 0})), 1, kTolerance);
}

TEST(LossValues, HashNet) {
  // alpha p = .5, 0, -.5. Similar: log(1 + e^.5) - .5 = .4740770. Dissimilar: log 2 = .6931472 and
  // log(1 + e^-.5) = .4740770, mean .5836121. Half of each.
  HashBatch batch = through_tanh({.5, .5, .5, 0, -.5, .5});
  const Parameters parameters = {{"alpha", 2.0}, {"final_scale", 2.0}};
  EXPECT_NEAR(value_of("hashnet", parameters, batch), 0.5288445, kTolerance);
  // At the end of training tanh(2 hash), half way tanh(sqrt(1 + 3/2) hash).
  batch.progress = 1;
  batch.hash = batch.hash / 2;
  EXPECT_NEAR(value_of("hashnet", parameters, batch), 0.5288445, kTolerance);
  batch.progress = 0.5;
  batch.hash = batch.hash * 2 / std::sqrt(2.5);
  EXPECT_NEAR(value_of("hashnet", parameters, batch), 0.5288445, kTolerance);
}

TEST(LossValues, HashNetAlphaIsTenByBits) {
  // alpha = 5: 5 p = 1.25, 0, -1.25: log(1 + e^-1.25) = .2519291 for the similar and one dissimilar pair, log
  // 2.
  const HashBatch batch = through_tanh({.5, .5, .5, 0, -.5, .5});
  EXPECT_NEAR(value_of("hashnet", {}, batch), 0.5 * 0.2519291 + 0.25 * (0.6931472 + 0.2519291), kTolerance);
}

TEST(LossValues, Bayesian) {
  // Labels AB, AB, A: all similar, Jaccard 1, 1/2, 1/2, weights 1/2, 1/4, 1/4. alpha p = .5, 0, -.5:
  // .4740770, .6931472, log(1 + e^-.5) + .5 = .9740770. Sum .6538445.
  // (u - b)^2: .25 .25, .25 1, .25 .25, mean .375, times 0.1.
  HashBatch batch = through_tanh({.5, .5, .5, 0, -.5, .5});
  batch.labels = matrix({1, 1, 1, 1, 1, 0});
  EXPECT_NEAR(value_of("bayesian", {{"alpha", 2.0}}, batch), 0.6538445 + 0.0375, kTolerance);
  // Without the overlap 1/3 of each.
  EXPECT_NEAR(value_of("bayesian", {{"alpha", 2.0}, {"overlap", false}}, batch),
              (0.4740770 + 0.6931472 + 0.9740770) / 3 + 0.0375, kTolerance);
  // Labels A, A, B: half of the mass for the similar pair; the dissimilar ones have log 2 and log(1 + e^-.5).
  batch.labels = two_alike();
  EXPECT_NEAR(value_of("bayesian", {{"alpha", 2.0}}, batch),
              (0.4740770 + (0.6931472 + 0.4740770) / 2) / 2 + 0.0375, kTolerance);
}

TEST(LossValues, Dpsh) {
  // p / 2 = .5, .5, -.5: .4740770 similar; .9740770 and .4740770 dissimilar; mean .6407437.
  // |u - b|^2 = 1, 1, 0 (0 counts as -1), mean 2/3, times 10 / 3 training rows.
  EXPECT_NEAR(value_of("dpsh", {}, raw({1, 2, 1, 0, -1, 1})), 0.6407437 + 2.2222222, kTolerance);
}

TEST(LossValues, Idhn) {
  // u = hash / (1 + |hash|) = (.5, .5), (.5, 0), (-.5, .5). Labels AB, A, C.
  // 0 1: s = 1/sqrt 2, .1 * 2 ((.25 + 2) / 4 - .7071068)^2 = .0041822. 0 2: log 2. 1 2: 5/2 * -.25 = -.625,
  // log(1 + e^-.625) = .4287007. Mean .3753434. | |u| - 1 |: 3.5 / 6, times 0.1.
  HashBatch batch = raw({1, 1, 1, 0, -1, 1});
  batch.labels = matrix({1, 1, 0, 1, 0, 0, 0, 0, 1}, 3);
  EXPECT_NEAR(value_of("idhn", {}, batch), 0.3753434 + 0.0583333, kTolerance);
  // Labels AB, AB: hard. x = 5/2 * .25 = .625, log(1 + e^.625) - .625 = .4287007. | |u| - 1 |: 2.5 / 4.
  batch = batch_of(batch.hash.narrow(0, 0, 2), matrix({1, 1, 1, 1}));
  EXPECT_NEAR(value_of("idhn", {}, batch), 0.4287007 + 0.0625, kTolerance);
}

TEST(LossValues, Dh) {
  // |u - b|^2 = .5 in each row. Means of bits 1/6, variances 1/4 - 1/36, sum .4444444. D^2: 1 similar; 1 and 2
  // dissimilar: 1 - 1.5. (.5 - .5 * .4444444 - 3 * .5) / 2 = -.6111111.
  const Parameters parameters = {{"variance", 0.5}, {"independence", 2.0}, {"scatter", 3.0}};
  HashBatch batch = through_tanh({.5, .5, -.5, .5, .5, -.5});
  EXPECT_NEAR(value_of("dh", parameters, batch), -0.6111111, kTolerance);
  // WW' = (1.25, .5; .5, 1): .0625 + .25 + .25 = .5625, and 1 for a layer of zeros on one bit; 2/2 times that.
  batch.weights = {matrix({1, .5, 0, 1}), matrix({0, 0})};
  EXPECT_NEAR(value_of("dh", parameters, batch), -0.6111111 + 0.5625 + 1, kTolerance);
}

TEST(LossValues, Csq) {
  // Centres (1, 1) and (1, -1). Row 0: log(1 + e^-1), log(1 + e^1), mean .8132617. Row 1: log(1 + e^-2) =
  // .1269280 twice. Row 2 has no label. Mean .4700948. (|tanh| - 1)^2: (1 - .4621172)^2 four times, (1 -
  // .7615942)^2 twice: .2118244.
  HashBatch batch = raw({.5, -.5, 1, -1, .5, .5});
  batch.labels = matrix({1, 0, 0, 1, 0, 0});
  EXPECT_NEAR(value_of("csq", {{"lambda", 0.1}}, batch), 0.4700948 + 0.0211824, kTolerance);
}

TEST(LossValues, FcdnCodes) {
  // Class 0 has a code c, class 1 its complement. Row 0: log2(1 + e^-1) and log2(1 + e^1), mean 1.1732886;
  // row 1: log2(1 + e^-2) = .1831184 twice. Row 2 has no label.
  const Tensor code = losses::separated_codes(1, 2, 1).to(::torch::kFloat64);
  HashBatch batch = raw({1, -1, -2, -2, 1, 1});
  batch.hash = batch.hash * code;
  batch.labels = matrix({1, 0, 0, 1, 0, 0});
  EXPECT_NEAR(value_of("fcdn-codes", {}, batch), (1.1732886 + 0.1831184) / 2, kTolerance);
}

TEST(LossValues, Cnnh) {
  const Tensor labels = ::torch::eye(4).repeat({3, 1});
  losses::CnnhCodes factors(labels, 8, 1);
  for (int sweep = 0; sweep < 10; ++sweep) factors.sweep();
  HashBatch batch;
  batch.rows = ::torch::tensor({7, 2});
  batch.labels = labels.index_select(0, batch.rows);
  const Tensor codes = factors.codes().index_select(0, batch.rows);
  const auto squared = make_hashing_loss("cnnh", {}, {8, labels, 1});
  const auto entropy =
      make_hashing_loss("cnnh", {{"regression", std::string("cross-entropy")}}, {8, labels, 1});
  // tanh(hash) = .5 c: (.5 - 1)^2; -.5 c: 1.5^2; one of each: the mean
  batch.hash = std::atanh(0.5) * codes * ::torch::tensor({{1.0F}, {-1.0F}});
  EXPECT_NEAR((*squared)(batch).item<double>(), (0.25 + 2.25) / 2, kTolerance);
  // log(1 + e^-2) = .1269280, log(1 + e^1) = 1.3132617
  batch.hash = codes * ::torch::tensor({{2.0F}, {-1.0F}});
  EXPECT_NEAR((*entropy)(batch).item<double>(), (0.1269280 + 1.3132617) / 2, kTolerance);
}

TEST(Regularizers, HaveTheirValues) {
  const Tensor codes = matrix({.5, 2, -1, 0});
  EXPECT_TRUE(losses::binary(codes).equal(matrix({1, 1, -1, -1})));
  EXPECT_NEAR(losses::quantization_error(codes).item<double>(), (.25 + 1 + 0 + 1) / 2, 1e-12);
  EXPECT_NEAR(losses::magnitude_error(codes).item<double>(), (.5 + 1 + 0 + 1) / 2, 1e-12);
  // means -.25 and 1; deviations .75 and 1
  EXPECT_NEAR(losses::bit_imbalance(codes).item<double>(), .0625 + 1, 1e-12);
  EXPECT_NEAR(losses::bit_variance(codes).item<double>(), .5625 + 1, 1e-12);
  EXPECT_NEAR(losses::orthogonality_error(matrix({.6, .8, -.8, .6})).item<double>(), 0, 1e-12);
}

}  // namespace
}  // namespace medretrieval::deep
