// TorchScript modules from outside as backbones, and what is refused of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/script.h>

#include <fstream>

#include "network_testing.hpp"

namespace medretrieval::deep {
namespace {

using ::testing::HasSubstr;
using testing::smooth_images;

const char* const kPlaces = "    return torch.relu(torch.conv2d(x, self.weight, None, [4, 4], [1, 1]))\n";
const char* const kPooled = "    return torch.conv2d(x, self.weight, None, [4, 4], [1, 1]).mean([2, 3])\n";

class ScriptedNetwork : public ::testing::Test {
 protected:
  std::string module(const std::string& code, std::int64_t channels = 3) {
    const auto file = folder_ / "module.pt";
    testing::write_script_module(file, channels, code);
    return file.string();
  }

  std::shared_ptr<Network> make(Parameters options) {
    ::torch::manual_seed(7);
    return make_network("scripted", {32, 16, 2}, options);
  }

  void expect_refusal(const Parameters& options, ErrorCode code, const std::string& part) {
    try {
      make(options);
      ADD_FAILURE() << "accepted, expected: " << part;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      EXPECT_THAT(error.what(), HasSubstr(part));
      EXPECT_THAT(error.what(), ::testing::Not(HasSubstr("\n")));
    }
  }

  testing::TemporaryFolder folder_;
};

TEST_F(ScriptedNetwork, PoolsPlacesAndFindsTheDimension) {
  const auto network = make({{"file", module(kPlaces)}});
  EXPECT_EQ(network->feature_dimension(), 8);
  network->eval();
  const ::torch::NoGradGuard guard;
  const Tensor images = smooth_images(3, 32);
  const auto output = network->forward(images);
  EXPECT_EQ(output.attention.sizes(), (std::vector<std::int64_t>{3, 8, 8}));
  // The module's own weights on ImageNet's normalization.
  auto raw = ::torch::jit::load((folder_ / "module.pt").string());
  const Tensor normal =
      (images.repeat({1, 3, 1, 1}) - ::torch::tensor({0.485, 0.456, 0.406}).view({1, 3, 1, 1})) /
      ::torch::tensor({0.229, 0.224, 0.225}).view({1, 3, 1, 1});
  const Tensor expected = raw.forward({normal}).toTensor().mean({2, 3});
  EXPECT_TRUE(::torch::allclose(output.features, expected, 1e-4, 1e-5));
}

TEST_F(ScriptedNetwork, TakesFeaturesAndOneChannel) {
  const auto network = make({{"file", module(kPooled, 1)},
                             {"channels", std::int64_t{1}},
                             {"mean", std::string("0.5")},
                             {"standard_deviation", std::string("0.25")}});
  EXPECT_EQ(network->feature_dimension(), 8);
  network->eval();
  const ::torch::NoGradGuard guard;
  const Tensor images = smooth_images(2, 32);
  auto raw = ::torch::jit::load((folder_ / "module.pt").string());
  EXPECT_TRUE(::torch::allclose(network->forward(images).features,
                                raw.forward({(images - 0.5) / 0.25}).toTensor(), 1e-4, 1e-5));
  EXPECT_FALSE(network->forward(images).attention.defined());
}

TEST_F(ScriptedNetwork, LeavesTheModuleAloneUnlessAskedToTrainIt) {
  const auto frozen = make({{"file", module(kPooled)}});
  EXPECT_TRUE(frozen->has_fixed_features());
  EXPECT_EQ(parameter_count(*frozen), 9 * (16 + 2));
  const auto output = frozen->forward(smooth_images(2, 32));
  EXPECT_FALSE(output.features.requires_grad());
  EXPECT_TRUE(output.logits.requires_grad());
  const auto learning = make({{"file", module(kPooled)}, {"trainable", true}});
  EXPECT_FALSE(learning->has_fixed_features());
  EXPECT_EQ(parameter_count(*learning), 9 * (16 + 2) + 8 * 3 * 9);
  EXPECT_TRUE(learning->named_parameters().contains("backbone.weight"));
  EXPECT_TRUE(learning->named_buffers().contains("backbone.scale"));
  // What is written into the named weight is what the module computes with.
  ::torch::NoGradGuard guard;
  learning->named_parameters()["backbone.weight"].zero_();
  EXPECT_EQ(learning->forward(smooth_images(2, 32)).features.abs().max().item<float>(), 0);
}

TEST_F(ScriptedNetwork, HashesStoredFeaturesAsImages) {
  const auto network = make({{"file", module(kPlaces)}});
  network->eval();
  const ::torch::NoGradGuard guard;
  const auto output = network->forward(smooth_images(3, 32));
  const auto again = network->forward_features(output.features);
  EXPECT_TRUE(::torch::equal(again.hash, output.hash));
  EXPECT_TRUE(::torch::equal(again.logits, output.logits));
}

TEST_F(ScriptedNetwork, GivesTheSameNumbersFromTheFirstRunOn) {
  const auto network = make({{"file", module(kPlaces)}});
  network->eval();
  const ::torch::NoGradGuard guard;
  const Tensor images = smooth_images(3, 32);
  const Tensor first = network->forward(images).features;
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(::torch::equal(network->forward(images).features, first));
}

TEST_F(ScriptedNetwork, IsMadeAgainFromItsAssets) {
  const auto network = make({{"file", module(kPlaces)}});
  std::filesystem::remove(folder_ / "module.pt");
  ::torch::manual_seed(7);
  const auto again = make_network("scripted", {32, 16, 2}, {}, network->assets());
  network->eval();
  again->eval();
  const ::torch::NoGradGuard guard;
  const Tensor images = smooth_images(2, 32);
  EXPECT_TRUE(::torch::equal(network->forward(images).hash, again->forward(images).hash));
  EXPECT_THROW(make_network("scripted", {32, 16, 2}, {}, {{"other", {}}}), Error);
  auto cut = network->assets();
  cut["module"].resize(cut["module"].size() / 2);
  EXPECT_THROW(make_network("scripted", {32, 16, 2}, {}, cut), Error);
}

TEST_F(ScriptedNetwork, RefusesFilesThatAreNoModules) {
  expect_refusal({}, ErrorCode::invalid_argument, "option 'file'");
  expect_refusal({{"file", (folder_ / "none.pt").string()}}, ErrorCode::not_found, "none.pt");
  std::ofstream(folder_ / "text.pt") << "no module at all\n";
  expect_refusal({{"file", (folder_ / "text.pt").string()}}, ErrorCode::corrupt, "torch.jit.save");
  std::ofstream(folder_ / "empty.pt");
  expect_refusal({{"file", (folder_ / "empty.pt").string()}}, ErrorCode::corrupt, "torch.jit.save");
}

TEST_F(ScriptedNetwork, RefusesOutputsThatAreNoFeatures) {
  const auto file = [&](const std::string& code) { return Parameters{{"file", module(code)}}; };
  expect_refusal({{"file", module(kPooled, 1)}}, ErrorCode::invalid_argument, "channels");
  expect_refusal({{"file", module(kPooled)}, {"channels", std::int64_t{1}}}, ErrorCode::invalid_argument,
                 "channels");
  expect_refusal(file("    return (x, x)\n"), ErrorCode::invalid_argument, "Tuple");
  expect_refusal(file("    return x.mean()\n"), ErrorCode::invalid_argument, "a single number");
  expect_refusal(file("    return x.mean([2, 3]).unsqueeze(1)\n"), ErrorCode::invalid_argument, "2 x 1 x 3");
  expect_refusal(file("    return x.mean([2, 3])[0:1]\n"), ErrorCode::invalid_argument, "1 x 3");
  expect_refusal(file("    return torch.argmax(x.mean([2, 3]), 1, True)\n"), ErrorCode::invalid_argument,
                 "long");
  expect_refusal(file("    return torch.log(x.mean([2, 3]) * 0.0 - 1.0)\n"), ErrorCode::invalid_argument,
                 "finite");
}

TEST_F(ScriptedNetwork, RefusesOutputsThatStopBeingFinite) {
  // Fine on the trial's images, which reach from 0 to 1; infinite on black ones.
  const auto network =
      make({{"file", module("    return 1.0 / x.amax([2, 3])\n", 1)}, {"channels", std::int64_t{1}}});
  network->eval();
  EXPECT_THROW(network->forward(::torch::zeros({2, 1, 32, 32})), Error);
}

TEST_F(ScriptedNetwork, RefusesNormalizationsThatDoNotFit) {
  const auto with = [&](const char* option, const char* value) {
    return Parameters{{"file", module(kPooled)}, {option, std::string(value)}};
  };
  expect_refusal(with("mean", "0.1,0.2"), ErrorCode::invalid_argument, "one number or 3, got 2");
  expect_refusal(with("mean", "grey"), ErrorCode::invalid_argument, "'grey'");
  expect_refusal(with("mean", "0.1,"), ErrorCode::invalid_argument, "'0.1,'");
  expect_refusal(with("mean", "nan"), ErrorCode::invalid_argument, "'nan'");
  expect_refusal(with("standard_deviation", "0"), ErrorCode::invalid_argument, "above 0");
  expect_refusal({{"file", module(kPooled)}, {"channels", std::int64_t{2}}}, ErrorCode::invalid_argument,
                 "1 or 3");
}

}  // namespace
}  // namespace medretrieval::deep
