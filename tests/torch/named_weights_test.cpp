// Backbones filled from weights that were trained elsewhere.
#include "torch/networks/named_weights.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "network_testing.hpp"

namespace medretrieval::deep {
namespace {

using Weights = std::map<std::string, Tensor>;

class NamedWeights : public ::testing::Test {
 protected:
  std::filesystem::path save(const Weights& weights) {
    const auto file = folder_ / "weights.pt";
    testing::write_weights(file, weights);
    return file;
  }

  static Weights weights() {
    auto all = testing::residual_weights();
    all["bn1.running_mean"] = ::torch::full({64}, 0.25);
    return all;
  }

  static std::shared_ptr<Network> network() {
    return testing::make_seeded("semantic-attention", {64, 16, 2});
  }

  testing::TemporaryFolder folder_;
};

TEST_F(NamedWeights, FillTheBackboneAndNameWhatIsLeft) {
  auto given = weights();
  given["fc.weight"] = ::torch::ones({1000, 512});
  given.erase("bn1.num_batches_tracked");
  const auto target = network();
  const Tensor head = target->named_parameters()["hash0.weight"].clone();
  EXPECT_THAT(load_backbone_weights(*target, save(given)), ::testing::ElementsAre("fc.weight"));
  EXPECT_TRUE(::torch::equal(target->named_parameters()["backbone.layer3.1.conv2.weight"],
                             given["layer3.1.conv2.weight"]));
  EXPECT_TRUE(
      ::torch::equal(target->named_buffers()["backbone.bn1.running_mean"], given["bn1.running_mean"]));
  EXPECT_TRUE(::torch::equal(target->named_parameters()["hash0.weight"], head));
}

TEST_F(NamedWeights, AreRefusedAsAWholeWhenOneDoesNotFit) {
  const auto target = network();
  const Tensor before = target->named_parameters()["backbone.conv1.weight"].clone();
  const auto refuse = [&](const Weights& given, ErrorCode code, const std::string& part) {
    try {
      load_backbone_weights(*target, save(given));
      ADD_FAILURE() << "accepted, expected: " << part;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      EXPECT_THAT(error.what(), ::testing::HasSubstr(part));
    }
    EXPECT_TRUE(::torch::equal(target->named_parameters()["backbone.conv1.weight"], before));
  };
  auto given = weights();
  given.erase("layer3.1.bn2.weight");
  refuse(given, ErrorCode::incompatible, "'layer3.1.bn2.weight'");
  given["layer3.1.bn2.weight"] = ::torch::ones({128});
  refuse(given, ErrorCode::incompatible, "of 256, got 128");
  given["layer3.1.bn2.weight"] = ::torch::full({256}, std::numeric_limits<float>::quiet_NaN());
  refuse(given, ErrorCode::corrupt, "NaN");
  given["layer3.1.bn2.weight"] = ::torch::ones({256}, ::torch::kLong);
  refuse(given, ErrorCode::corrupt, "plain array");
}

TEST_F(NamedWeights, AreReadOnlyFromFilesThatHoldThem) {
  const auto target = network();
  EXPECT_THROW(load_backbone_weights(*target, folder_ / "none.pt"), Error);
  std::ofstream(folder_ / "text.pt") << "no weights";
  EXPECT_THROW(load_backbone_weights(*target, folder_ / "text.pt"), Error);
  const auto whole = save(weights());
  std::filesystem::resize_file(whole, std::filesystem::file_size(whole) / 2);
  EXPECT_THROW(load_backbone_weights(*target, whole), Error);
  const auto without = testing::make_seeded("fcdn", {64, 16, 2});
  EXPECT_THROW(load_backbone_weights(*without, save(weights())), Error);
}

/// A file may claim more elements than it stores; nothing outside of what it stores is read.
TEST_F(NamedWeights, MayNotReachBeyondTheirStorage) {
  const auto target = network();
  auto given = weights();
  Tensor wide = ::torch::full({64}, 0.5);
  const std::vector<std::int64_t> sizes = {64};
  const std::vector<std::int64_t> strides = {2};
  wide.unsafeGetTensorImpl()->set_sizes_and_strides(sizes, strides);
  given["layer1.0.bn1.weight"] = wide;
  try {
    load_backbone_weights(*target, save(given));
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::corrupt);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("'layer1.0.bn1.weight' is no plain array"));
  }
}

}  // namespace
}  // namespace medretrieval::deep
