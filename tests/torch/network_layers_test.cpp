// The sizes of the named layers, where papers or published weights fix them, and the table of parameter counts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <regex>

#include "network_testing.hpp"
#include "torch/networks/additive_attention.hpp"
#include "torch/networks/residual_network.hpp"
#include "torch/networks/spatial_attention.hpp"

namespace medretrieval::deep {
namespace {

using Sizes = std::vector<std::int64_t>;
using testing::layer_sizes;
using testing::make_seeded;

TEST(AttentionCnnBilstm, HasThePapersSizes) {
  auto network = make_seeded("attention-cnn-bilstm", {32, 48, 2});
  auto layers = layer_sizes(*network, 32);
  EXPECT_EQ(layers["convolutions"], (Sizes{256, 4, 4}));  // the published strides would leave 0 x 0
  EXPECT_EQ(layers["lstm"], (Sizes{32, 1536}));           // a step for each row
  EXPECT_EQ(layers["fused"], (Sizes{256 + 1536}));
  const auto named = network->named_parameters();
  EXPECT_EQ(named["cnn_attention.hidden.weight"].sizes(), (Sizes{768, 256}));
  EXPECT_EQ(named["lstm_attention.hidden.weight"].sizes(), (Sizes{768, 1536}));
  EXPECT_EQ(named["hash0.weight"].sizes(), (Sizes{48, 1024}));
  EXPECT_EQ(named["classifier.weight"].sizes(), (Sizes{2, 48}));
}

TEST(AttentionCnnBilstm, RunsInSeriesBothWays) {
  auto layers = layer_sizes(
      *make_seeded("attention-cnn-bilstm", {32, 48, 2}, {{"form", std::string("cnn-bilstm")}}), 32);
  EXPECT_EQ(layers["lstm"], (Sizes{16, 1536}));  // a step for each of 4 x 4 places
  EXPECT_EQ(layers["fused"], (Sizes{1536}));
  layers = layer_sizes(
      *make_seeded("attention-cnn-bilstm", {64, 48, 2}, {{"form", std::string("bilstm-cnn")}}), 64);
  EXPECT_EQ(layers["convolutions"], (Sizes{256, 8, 8}));
  EXPECT_EQ(layers["fused"], (Sizes{256}));
  EXPECT_THROW(make_seeded("attention-cnn-bilstm", {160, 48, 2}, {{"form", std::string("bilstm-cnn")}}),
               Error);
}

TEST(AttentionCnnBilstm, ClassifiesTheHashLayer) {
  const auto network = make_seeded("attention-cnn-bilstm", {32, 48, 2});
  network->eval();
  const ::torch::NoGradGuard guard;
  const auto output = network->forward(testing::smooth_images(2, 32));
  const auto named = network->named_parameters();
  const Tensor expected =
      ::torch::sigmoid(output.hash).mm(named["classifier.weight"].t()) + named["classifier.bias"];
  EXPECT_TRUE(::torch::allclose(output.logits, expected, 1e-5, 1e-6));
}

TEST(AdditiveAttention, WeighsStepsToOne) {
  ::torch::manual_seed(1);
  networks::AdditiveAttention attention(6, 5);
  const Tensor steps = ::torch::randn({2, 4, 6});
  const auto [summary, weights] = attention->forward(steps);
  EXPECT_TRUE(::torch::allclose(weights.sum(1), ::torch::ones({2})));
  EXPECT_TRUE(::torch::allclose(summary, (weights.unsqueeze(2) * steps).sum(1), 1e-5, 1e-6));
}

TEST(ResidualNetwork, HasThePublishedSizes) {
  ::torch::manual_seed(1);
  const Tensor image = ::torch::rand({1, 1, 64, 64});
  const ::torch::NoGradGuard guard;
  std::map<std::string, Sizes> layers;
  const auto note = [&](std::string_view name, const Tensor& output) {
    layers[std::string(name)] = output.sizes().slice(1).vec();
  };
  networks::ResidualNetwork deep(50);
  deep->eval();
  deep->forward(image, note);
  EXPECT_EQ(layers["conv1"], (Sizes{64, 32, 32}));
  EXPECT_EQ(layers["layer1"], (Sizes{256, 16, 16}));
  EXPECT_EQ(layers["layer2"], (Sizes{512, 8, 8}));
  EXPECT_EQ(layers["layer3"], (Sizes{1024, 4, 4}));
  EXPECT_EQ(layers["layer4"], (Sizes{2048, 2, 2}));
  EXPECT_EQ(networks::ResidualNetwork(34, 3)->channels(), 256);
  EXPECT_THROW(networks::ResidualNetwork(19), Error);
  EXPECT_THROW(networks::ResidualNetwork(18, 5), Error);
}

/// Counts and names of torchvision 0.14 without its classifier (fc: 512 or 2,048 times 1,000, plus 1,000).
TEST(ResidualNetwork, HasThePublishedParameters) {
  const auto count = [](const ::torch::nn::Module& module) {
    std::int64_t sum = 0;
    for (const auto& parameter : module.parameters()) sum += parameter.numel();
    return sum;
  };
  EXPECT_EQ(count(*networks::ResidualNetwork(18)), 11'689'512 - 513'000);
  EXPECT_EQ(count(*networks::ResidualNetwork(34)), 21'797'672 - 513'000);
  EXPECT_EQ(count(*networks::ResidualNetwork(50)), 25'557'032 - 2'049'000);
  const auto names = networks::ResidualNetwork(50)->named_parameters();
  EXPECT_EQ(names["layer1.0.downsample.0.weight"].sizes(), (Sizes{256, 64, 1, 1}));
  EXPECT_EQ(names["layer4.2.conv3.weight"].sizes(), (Sizes{2048, 512, 1, 1}));
  EXPECT_TRUE(networks::ResidualNetwork(18)->named_buffers().contains("layer2.0.downsample.1.running_var"));
}

TEST(SpatialAttentionResnet, RefinesTo256And256) {
  auto network = make_seeded("spatial-attention-resnet", {64, 48, 14});
  auto layers = layer_sizes(*network, 64);
  EXPECT_EQ(layers["layer4"], (Sizes{2048, 2, 2}));
  EXPECT_EQ(layers["attention"], (Sizes{2, 2}));
  EXPECT_EQ(layers["global"], (Sizes{256}));
  EXPECT_EQ(layers["local"], (Sizes{256}));
  EXPECT_EQ(layers["fused"], (Sizes{512}));
  auto small = layer_sizes(*make_seeded("spatial-attention-resnet18", {64, 48, 14}), 64);
  EXPECT_EQ(small["attention"], (Sizes{4, 4}));
  EXPECT_EQ(small["fused"], (Sizes{512}));
  auto local = layer_sizes(
      *make_seeded("spatial-attention-resnet18", {64, 48, 14}, {{"branch", std::string("local")}}), 64);
  EXPECT_EQ(local["fused"], (Sizes{256}));
  EXPECT_EQ(local.count("global"), 0U);
}

/// Equations 1 to 5 written out for one image.
TEST(SpatialAttention, MultipliesThePooledFeatureByItsMap) {
  using networks::Descriptor;
  ::torch::manual_seed(2);
  const ::torch::NoGradGuard guard;
  networks::SpatialAttention attention(std::vector{Descriptor::max, Descriptor::mean, Descriptor::pool}, 4);
  const Tensor places = ::torch::rand({1, 5, 3, 3});
  const auto [attended, map] = attention->forward(places);
  const Tensor pooled = ::torch::max_pool2d(places, 3, 1, 1);
  EXPECT_FLOAT_EQ(pooled[0][2][0][0].item<float>(),
                  places[0][2].slice(0, 0, 2).slice(1, 0, 2).max().item<float>());
  EXPECT_TRUE(::torch::allclose(attended, map.unsqueeze(1) * pooled));
  EXPECT_LT(map.abs().max().item<float>(), 1);
  const auto named = attention->named_parameters();
  const auto perceptron = [&](const Tensor& descriptor) {  // of height x width
    const Tensor hidden = ::torch::relu(named["perceptron.0.weight"].view({4, 1, 1}) * descriptor +
                                        named["perceptron.0.bias"].view({4, 1, 1}));
    return (named["perceptron.2.weight"].view({4, 1, 1}) * hidden).sum(0) + named["perceptron.2.bias"];
  };
  const Tensor stacked =
      ::torch::stack({perceptron(std::get<0>(pooled[0].max(0))), perceptron(pooled[0].mean(0)),
                      perceptron(::torch::max_pool2d(pooled, 3, 1, 1)[0].mean(0))});
  // The place in the middle sees all nine.
  const Tensor middle =
      ::torch::tanh((stacked * named["convolution.weight"][0]).sum() + named["convolution.bias"][0]);
  EXPECT_NEAR(map[0][1][1].item<float>(), middle.item<float>(), 1e-5);
}

TEST(SemanticAttention, SumsPlacesByWhatIsRecognized) {
  auto network = make_seeded("semantic-attention", {64, 48, 3});
  auto layers = layer_sizes(*network, 64);
  EXPECT_EQ(layers["class_activations"], (Sizes{3, 4, 4}));
  EXPECT_EQ(layers["attention"], (Sizes{4, 4}));
  EXPECT_EQ(layers["global"], (Sizes{256}));
  EXPECT_EQ(layers["local"], (Sizes{256}));
  EXPECT_EQ(layers["fused"], (Sizes{512}));
  for (const char* posterior : {"softmax", "sigmoid"}) {
    const auto other =
        make_seeded("semantic-attention", {64, 48, 3}, {{"posterior", std::string(posterior)}});
    other->eval();
    const ::torch::NoGradGuard guard;
    const Tensor attention = other->forward(testing::smooth_images(2, 64)).attention;
    EXPECT_TRUE(::torch::allclose(attention.sum({1, 2}), ::torch::ones({2}))) << posterior;
  }
  auto deep = layer_sizes(*make_seeded("semantic-attention", {64, 48, 3},
                                       {{"depth", std::int64_t{50}}, {"stages", std::int64_t{4}}}),
                          64);
  EXPECT_EQ(deep["local"], (Sizes{2048}));
}

TEST(Fcdn, HalvesSixTimesAndComesBack) {
  auto network = make_seeded("fcdn", {128, 24, 2});
  auto layers = layer_sizes(*network, 128);
  for (int pool = 1; pool <= 6; ++pool) {
    EXPECT_EQ(layers["pool" + std::to_string(pool)].back(), 128 >> pool);
  }
  EXPECT_EQ(layers["layer0"], (Sizes{16, 128, 128}));
  EXPECT_EQ(layers["layer4"], (Sizes{64, 32, 32}));
  EXPECT_EQ(layers["layer6"], (Sizes{16, 16, 16}));  // a layer of a dense block gives what it adds
  EXPECT_EQ(layers["layer17"], (Sizes{128, 4, 4}));
  EXPECT_EQ(layers["layer18"], (Sizes{64, 4, 4}));
  EXPECT_EQ(layers["layer25"], (Sizes{32, 128, 128}));
  EXPECT_EQ(layers.count("layer26"), 0U);
  EXPECT_EQ(layers["picture"], (Sizes{1, 128, 128}));
  EXPECT_EQ(layers["features"], (Sizes{4 * (64 + 128 + 32)}));
}

TEST(Fcdn, HashesThreeLayersWithTheirWeights) {
  const auto network = make_seeded("fcdn", {64, 24, 2}, {{"weight_middle", std::int64_t{3}}});
  ASSERT_EQ(network->hash_slices().size(), 3U);
  EXPECT_EQ(network->hash_slices()[0].weight, 1U);
  EXPECT_EQ(network->hash_slices()[1].weight, 3U);
  EXPECT_EQ(network->hash_slices()[1].first_column, 256);
  EXPECT_EQ(network->hash_slices()[2].first_column, 256 + 512);
  for (const auto& slice : network->hash_slices()) {
    EXPECT_EQ(slice.layer->options.out_features(), 24);
    EXPECT_EQ(slice.layer->bias.abs().max().item<float>(), 0);
    EXPECT_FALSE(slice.layer->bias.requires_grad());
  }
  const auto alone = make_seeded("fcdn", {64, 24, 2}, {{"layers", std::string("middle")}});
  ASSERT_EQ(alone->hash_slices().size(), 1U);
  EXPECT_EQ(alone->feature_dimension(), 512);
  EXPECT_THROW(make_seeded("fcdn", {64, 24, 2}, {{"weight_deep", std::int64_t{0}}}), Error);
}

/// Names and counts of torchvision 0.14 without the last layer of its classifier (4,096 times 1,000, plus 1,000).
TEST(Vgg16, HasThePublishedParametersAndFc7) {
  const auto network = make_seeded("vgg16", {32, 48, 2});
  auto layers = layer_sizes(*network, 32);
  EXPECT_EQ(layers["features"], (Sizes{512, 1, 1}));
  EXPECT_EQ(layers["fc7"], (Sizes{4096}));
  const auto named = network->named_parameters();
  EXPECT_EQ(named["backbone.features.28.weight"].sizes(), (Sizes{512, 512, 3, 3}));
  EXPECT_EQ(named["backbone.classifier.0.weight"].sizes(), (Sizes{4096, 25088}));
  EXPECT_EQ(named["backbone.classifier.3.bias"].sizes(), (Sizes{4096}));
  EXPECT_EQ(parameter_count(*network), 138'357'544 - 4'097'000 + 4097 * (48 + 2));
}

TEST(ClassActivation, OfAPooledFeatureAddsUpToTheLogit) {
  const auto network = make_seeded("resnet18", {64, 48, 3});
  network->eval();
  const ::torch::NoGradGuard guard;
  Tensor places;
  network->observe_layers([&](std::string_view layer, const Tensor& output) {
    if (layer == "layer4") places = output;
  });
  const auto output = network->forward(testing::smooth_images(2, 64));
  EXPECT_EQ(output.attention.sizes(), (Sizes{2, 2, 2}));
  const auto named = network->named_parameters();
  const Tensor maps = ::torch::einsum("kc,nchw->nkhw", {named["classifier.weight"], places});
  EXPECT_TRUE(::torch::allclose(maps.mean({2, 3}) + named["classifier.bias"], output.logits, 1e-4, 1e-5));
  const Tensor shares = ::torch::softmax(output.logits, 1);
  EXPECT_TRUE(::torch::allclose(::torch::relu(::torch::einsum("nk,nkhw->nhw", {shares, maps})),
                                output.attention, 1e-4, 1e-5));
}

TEST(ResnetHeads, ClassifierStandsOnTheHashLayerOrTheOtherWayRound) {
  const Tensor images = testing::smooth_images(3, 64);
  const ::torch::NoGradGuard guard;
  const auto latent = make_seeded("resnet18", {64, 48, 5}, {{"head", std::string("latent")}});
  latent->eval();
  const auto output = latent->forward(images);
  const auto named = latent->named_parameters();
  EXPECT_TRUE(::torch::allclose(
      ::torch::sigmoid(output.hash).mm(named["classifier.weight"].t()) + named["classifier.bias"],
      output.logits, 1e-4, 1e-5));
  const auto outputs = make_seeded("resnet18", {64, 48, 5}, {{"head", std::string("outputs")}});
  outputs->eval();
  EXPECT_EQ(outputs->feature_dimension(), 5);
  const auto classes = outputs->forward(images);
  EXPECT_TRUE(::torch::equal(classes.features, classes.logits));
}

// ---- Words of options.

struct WrongWord {
  const char* network;
  const char* option;
  const char* listed;
};

class Words : public ::testing::TestWithParam<WrongWord> {};

TEST_P(Words, AreListedWhenOneIsWrong) {
  const auto& [network, option, listed] = GetParam();
  try {
    make_network(network, {64, 32, 2}, {{option, std::string("sideways")}});
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    EXPECT_THAT(error.what(), ::testing::AllOf(::testing::HasSubstr(option), ::testing::HasSubstr(listed),
                                               ::testing::HasSubstr("'sideways'")));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Networks, Words,
    ::testing::Values(WrongWord{"attention-cnn-bilstm", "form",
                                "parallel, cnn, bilstm, cnn-bilstm, bilstm-cnn"},
                      WrongWord{"spatial-attention-resnet18", "branch", "fused, local, global"},
                      WrongWord{"spatial-attention-resnet18", "descriptors", "max, mean, pool"},
                      WrongWord{"semantic-attention", "branch", "fused, local, global"},
                      WrongWord{"semantic-attention", "posterior", "softmax, sigmoid"},
                      WrongWord{"resnet18", "head", "beside, latent, outputs"},
                      WrongWord{"fcdn", "layers", "joint, shallow, middle, deep"}));

TEST(Descriptors, AreTakenOnceEach) {
  using networks::Descriptor;
  EXPECT_EQ(networks::parse_descriptors("pool+max"), (std::vector{Descriptor::pool, Descriptor::max}));
  for (const char* text : {"", "max+", "max+max", "max,mean", "+"}) {
    EXPECT_THROW(networks::parse_descriptors(text), Error) << text;
  }
}

// ---- The table in docs/deep_hashing.md.

TEST(Documentation, ListsEveryNetworksParameterCount) {
  std::ifstream file(std::string(MEDRETRIEVAL_TEST_DIR) + "/../docs/deep_hashing.md");
  ASSERT_TRUE(file) << "docs/deep_hashing.md is missing";
  const std::regex row(R"(^\| `([a-z0-9-]+)` \| (\d+) x \d+ \| ([\d,]+) \|.*)");
  std::map<std::string, std::string> listed;
  std::smatch match;
  for (std::string line; std::getline(file, line);) {
    if (std::regex_match(line, match, row)) listed[match[1]] = match[2].str() + " " + match[3].str();
  }
  for (const auto& name : network_type_names()) {
    if (name == "scripted") continue;  // has what its module has
    const auto& type = network_type(name);
    const std::string digits = std::to_string(parameter_count(*make_network(name, {type.side, 64, 2}, {})));
    std::string text = std::to_string(type.side) + " ";
    for (std::size_t i = 0; i < digits.size(); ++i) {
      if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
      text += digits[i];
    }
    EXPECT_EQ(listed[name], text) << name;
  }
}

}  // namespace
}  // namespace medretrieval::deep
