// Codes that losses make before training: CNNH's first stage, and the target codes of classes.
#include <gtest/gtest.h>

#include <medretrieval/error.hpp>

#include "torch/losses/cnnh_codes.hpp"
#include "torch/losses/regularizers.hpp"
#include "torch/losses/target_codes.hpp"

namespace medretrieval::deep::losses {
namespace {

/// 40 rows of 5 classes: several labels a row, equal sets, and rows without labels.
Tensor random_labels() {
  ::torch::manual_seed(8);
  return (::torch::rand({40, 5}) < 0.25).to(::torch::kFloat32);
}

double mean_squared_error(const Tensor& codes, const Tensor& labels) {
  Tensor similar = (labels.mm(labels.t()) > 0).to(::torch::kFloat64) * 2 - 1;
  similar.fill_diagonal_(1);
  const Tensor h = codes.to(::torch::kFloat64);
  return (similar - h.mm(h.t()) / h.size(1)).pow(2).mean().item<double>();
}

TEST(CnnhCodes, ErrorIsThatOfTheWholeMatrix) {
  const Tensor labels = random_labels();
  ASSERT_GT((labels.sum(1) == 0).sum().item<int>(), 0);
  CnnhCodes factors(labels, 16, 4);
  EXPECT_NEAR(factors.error(), mean_squared_error(factors.relaxed(), labels), 1e-10);
  factors.sweep();
  EXPECT_NEAR(factors.error(), mean_squared_error(factors.relaxed(), labels), 1e-10);
  EXPECT_LE(factors.relaxed().abs().max().item<double>(), 1 + 1e-12);
}

TEST(CnnhCodes, NoSweepMakesItWorse) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    CnnhCodes factors(random_labels(), 16, seed);
    double before = factors.error();
    for (int sweep = 0; sweep < 10; ++sweep) {
      factors.sweep();
      EXPECT_LE(factors.error(), before + 1e-12);
      before = factors.error();
    }
  }
}

TEST(CnnhCodes, AreNearerToTheSimilarityThanRandomCodes) {
  const Tensor labels = random_labels();
  CnnhCodes factors(labels, 16, 4);
  for (int sweep = 0; sweep < 10; ++sweep) factors.sweep();
  const double found = mean_squared_error(factors.codes(), labels);
  ::torch::manual_seed(9);
  for (int trial = 0; trial < 20; ++trial) {
    EXPECT_LT(found, 0.8 * mean_squared_error(binary(::torch::randn({40, 16})), labels));
  }
}

TEST(CnnhCodes, SeparateClassesAndRepeatBySeed) {
  const Tensor labels = ::torch::eye(4).repeat({10, 1});
  const auto codes = [&](std::uint64_t seed) {
    CnnhCodes factors(labels, 16, seed);
    for (int sweep = 0; sweep < 10; ++sweep) factors.sweep();
    return factors.codes();
  };
  const Tensor first = codes(1);
  for (std::int64_t row = 4; row < 40; ++row) EXPECT_TRUE(first[row].equal(first[row % 4])) << row;
  for (std::int64_t row = 1; row < 4; ++row) EXPECT_FALSE(first[row].equal(first[0]));
  EXPECT_TRUE(codes(1).equal(first));
  EXPECT_FALSE(codes(2).equal(first));
}

std::int64_t least_distance(const Tensor& codes) {
  const Tensor distances = (codes.size(1) - codes.mm(codes.t())) / 2;
  return (distances + ::torch::eye(codes.size(0)) * 1e6).min().item<std::int64_t>();
}

TEST(TargetCodes, HadamardCodesDifferInHalfOfTheirBits) {
  for (const std::int64_t bits : {2, 8, 64}) {
    const Tensor codes = hadamard_codes(2 * bits, bits);
    EXPECT_TRUE(codes.abs().equal(::torch::ones({2 * bits, bits})));
    EXPECT_EQ(least_distance(codes), bits / 2);
    EXPECT_TRUE(codes.narrow(0, bits, bits).equal(-codes.narrow(0, 0, bits)));
  }
}

TEST(TargetCodes, DrawnCodesLieApart) {
  const Tensor codes = separated_codes(14, 48, 1);
  EXPECT_TRUE(codes.abs().equal(::torch::ones({14, 48})));
  EXPECT_GE(least_distance(codes), 48 / 3);
  EXPECT_NEAR(codes.mean().item<double>(), 0, 0.2);
  EXPECT_TRUE(separated_codes(14, 48, 1).equal(codes));
  EXPECT_FALSE(separated_codes(14, 48, 2).equal(codes));
  EXPECT_GE(least_distance(separated_codes(128, 8, 1)), 1);
  EXPECT_GE(least_distance(separated_codes(5, 100, 1)), 45);
  EXPECT_THROW(separated_codes(129, 8, 1), Error);
}

TEST(TargetCodes, FollowTheMajorityOfLabels) {
  const Tensor classes =
      ::torch::tensor({{1.F, 1.F, 1.F, 1.F}, {1.F, -1.F, 1.F, -1.F}, {1.F, 1.F, -1.F, -1.F}});
  const TargetCodes targets(classes, 1);
  const Tensor labels = ::torch::tensor({{0.F, 1.F, 0.F}, {1.F, 1.F, 1.F}, {1.F, 1.F, 0.F}, {0.F, 0.F, 0.F}});
  const Tensor codes = targets.of(labels);
  EXPECT_TRUE(codes[0].equal(classes[1]));
  EXPECT_TRUE(codes[1].equal(::torch::tensor({1.F, 1.F, 1.F, -1.F})));
  const Tensor tie = codes[3];  // nothing but ties
  EXPECT_TRUE(tie.abs().equal(::torch::ones({4})));
  EXPECT_TRUE(codes[2].equal(::torch::stack({classes[0][0], tie[1], classes[0][2], tie[3]})));
  EXPECT_EQ(targets.of(labels.to(::torch::kFloat64)).dtype(), ::torch::kFloat64);
}

TEST(TargetCodes, RowsWithoutALabelDoNotCount) {
  const Tensor costs = ::torch::tensor({{1.F, 3.F}, {50.F, 70.F}, {5.F, 7.F}});
  const Tensor labels = ::torch::tensor({{1.F, 0.F}, {0.F, 0.F}, {1.F, 1.F}});
  EXPECT_NEAR(mean_over_labelled(costs, labels).item<double>(), 4, 1e-6);
  EXPECT_EQ(mean_over_labelled(costs, ::torch::zeros_like(labels)).item<double>(), 0);
}

}  // namespace
}  // namespace medretrieval::deep::losses
