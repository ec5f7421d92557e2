// Every hashing loss, through one linear layer, learns codes that rank rows of a class first.
#include <gtest/gtest.h>
#include <torch/nn/modules/linear.h>
#include <torch/optim/adam.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "loss_batches.hpp"

namespace medretrieval::deep {
namespace {

constexpr std::int64_t kRows = 64;
constexpr std::int64_t kClasses = 4;
constexpr std::int64_t kDimension = 32;
constexpr std::int64_t kBits = 16;
constexpr int kSteps = 200;

/// Mean average precision of ranking all other rows by Hamming distance; at equal distance rows of another
/// class come first, the worst order. Row i has class i % kClasses.
double worst_map(const Tensor& hash) {
  const Tensor bits = (hash > 0).to(::torch::kFloat32);
  const Tensor distances = ::torch::cdist(bits, bits, 1.0).round().to(::torch::kInt64);
  double sum = 0;
  for (std::int64_t query = 0; query < kRows; ++query) {
    std::vector<std::pair<std::int64_t, bool>> ranking;  // distance, same class
    for (std::int64_t row = 0; row < kRows; ++row) {
      if (row != query) {
        ranking.emplace_back(distances[query][row].item<std::int64_t>(), row % kClasses == query % kClasses);
      }
    }
    std::sort(ranking.begin(), ranking.end());
    double found = 0;
    double precisions = 0;
    for (std::size_t rank = 0; rank < ranking.size(); ++rank) {
      if (!ranking[rank].second) continue;
      precisions += ++found / static_cast<double>(rank + 1);
    }
    sum += precisions / found;
  }
  return sum / kRows;
}

class EveryLossLearns : public ::testing::TestWithParam<std::string> {};

TEST_P(EveryLossLearns, CodesThatRankClassesFirst) {
  ::torch::manual_seed(11);
  const Tensor centres = ::torch::randn({kClasses, kDimension});
  const Tensor points = centres.repeat({kRows / kClasses, 1}) + ::torch::randn({kRows, kDimension});
  ::torch::nn::Linear layer(kDimension, kBits);
  HashBatch batch = batch_of(layer(points), ::torch::eye(kClasses).repeat({kRows / kClasses, 1}));
  const double before = worst_map(batch.hash);
  // The authors' weight of class scatter all but leaves the labels out.
  const Parameters parameters = GetParam() == "dh" ? Parameters{{"scatter", 1.0}} : Parameters{};
  const auto loss = loss_for(GetParam(), parameters, batch);
  ::torch::optim::Adam optimizer(layer->parameters(), ::torch::optim::AdamOptions(0.02));
  for (int step = 0; step < kSteps; ++step) {
    optimizer.zero_grad();
    batch.hash = layer(points);
    batch.weights = {layer->weight};
    batch.progress = static_cast<double>(step) / kSteps;
    (*loss)(batch).backward();
    optimizer.step();
  }
  const double after = worst_map(layer(points));
  RecordProperty("before", std::to_string(before));
  RecordProperty("after", std::to_string(after));
  EXPECT_LT(before, 0.8);
  EXPECT_GT(after, 0.9);
}

INSTANTIATE_TEST_SUITE_P(Losses, EveryLossLearns, ::testing::ValuesIn(hashing_loss_names()), test_name);

}  // namespace
}  // namespace medretrieval::deep
