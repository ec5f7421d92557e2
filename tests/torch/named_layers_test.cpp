// The size of every named layer of every preset, for one image.
#include <gmock/gmock.h>

#include "network_testing.hpp"

namespace medretrieval::deep {
namespace {

using LayerSizes = std::map<std::string, std::vector<std::int64_t>>;

struct NamedLayers {
  const char* network;
  std::int64_t side;
  LayerSizes layers;
};

std::ostream& operator<<(std::ostream& stream, const NamedLayers& expected) {
  return stream << expected.network;
}

LayerSizes fcdn_layers() {
  LayerSizes layers = {{"pool1", {16, 32, 32}},  {"pool2", {32, 16, 16}},
                       {"pool3", {64, 8, 8}},    {"pool4", {64, 4, 4}},
                       {"pool5", {64, 2, 2}},    {"pool6", {128, 1, 1}},
                       {"picture", {1, 64, 64}}, {"features", {4 * (64 + 128 + 32)}}};
  const std::vector<std::vector<std::int64_t>> numbered = {
      {16, 64, 64}, {16, 64, 64}, {32, 32, 32}, {32, 32, 32}, {64, 16, 16}, {64, 16, 16},  //
      {16, 8, 8},   {16, 8, 8},   {16, 8, 8},   {64, 8, 8},                                //
      {16, 4, 4},   {16, 4, 4},   {16, 4, 4},   {64, 4, 4},                                //
      {16, 2, 2},   {16, 2, 2},   {16, 2, 2},   {128, 2, 2},                               //
      {64, 2, 2},   {64, 4, 4},   {64, 8, 8},   {32, 16, 16}, {32, 32, 32}, {16, 64, 64},  //
      {16, 64, 64}, {32, 64, 64}};
  for (std::size_t i = 0; i < numbered.size(); ++i) layers["layer" + std::to_string(i)] = numbered[i];
  return layers;
}

std::vector<NamedLayers> expected_layers() {
  const LayerSizes resnet18 = {
      {"conv1", {64, 32, 32}}, {"layer1", {64, 16, 16}}, {"layer2", {128, 8, 8}}, {"layer3", {256, 4, 4}}};
  const LayerSizes resnet50 = {{"conv1", {64, 32, 32}},
                               {"layer1", {256, 16, 16}},
                               {"layer2", {512, 8, 8}},
                               {"layer3", {1024, 4, 4}},
                               {"layer4", {2048, 2, 2}}};
  const auto with = [](LayerSizes layers, const LayerSizes& more) {
    layers.insert(more.begin(), more.end());
    return layers;
  };
  return {{"attention-cnn-bilstm",
           32,
           {{"convolutions", {256, 4, 4}}, {"lstm", {32, 1536}}, {"fused", {256 + 1536}}}},
          {"semantic-attention", 64,
           with(resnet18, {{"class_activations", {2, 4, 4}},
                           {"attention", {4, 4}},
                           {"global", {256}},
                           {"local", {256}},
                           {"fused", {512}}})},
          {"fcdn", 64, fcdn_layers()},
          {"spatial-attention-resnet", 64,
           with(resnet50, {{"attention", {2, 2}}, {"global", {256}}, {"local", {256}}, {"fused", {512}}})},
          {"spatial-attention-resnet18", 64,
           with(resnet18, {{"attention", {4, 4}}, {"global", {256}}, {"local", {256}}, {"fused", {512}}})},
          {"vgg16", 64, {{"features", {512, 2, 2}}, {"fc7", {4096}}}},
          {"resnet18", 64, with(resnet18, {{"layer4", {512, 2, 2}}, {"pooled", {512}}})},
          {"resnet50", 64, with(resnet50, {{"pooled", {2048}}})},
          {"scripted", 64, {{"pooled", {128}}}}};
}

class EveryNamedLayer : public ::testing::TestWithParam<NamedLayers> {};

TEST_P(EveryNamedLayer, HasItsSize) {
  const auto& [network, side, layers] = GetParam();
  const auto made = testing::make_seeded(network, {static_cast<std::size_t>(side), 24, 2});
  EXPECT_THAT(testing::layer_sizes(*made, side), ::testing::ContainerEq(layers));
}

TEST(NamedLayers, AreListedForEveryNetwork) {
  std::vector<std::string> networks;
  for (const auto& each : expected_layers()) networks.push_back(each.network);
  EXPECT_THAT(networks, ::testing::UnorderedElementsAreArray(network_type_names()));
}

INSTANTIATE_TEST_SUITE_P(Networks, EveryNamedLayer, ::testing::ValuesIn(expected_layers()),
                         [](const auto& one) { return testing::plain_name(one.param.network); });

}  // namespace
}  // namespace medretrieval::deep
