// What every network must do: shapes, codes that are the threshold of the hash layer, learning 32 images by heart.
#include <gtest/gtest.h>

#include "torch/network.hpp"

namespace medretrieval::deep {
namespace {

NetworkShape shape_of(const NetworkType& type) {
  return {type.side, 32, 3};
}

class EveryNetwork : public ::testing::TestWithParam<std::string> {
 protected:
  std::shared_ptr<Network> make() {
    ::torch::manual_seed(7);
    return type_.make(shape_of(type_), complete_parameters({}, type_.options, type_.name));
  }
  Tensor images(std::int64_t rows) {
    const auto side = static_cast<std::int64_t>(type_.side);
    return ::torch::rand({rows, 1, side, side});
  }

  const NetworkType& type_ = network_type(GetParam());
};

TEST_P(EveryNetwork, GivesItsShapes) {
  const auto network = make();
  network->eval();
  const auto output = network->forward(images(2));
  EXPECT_EQ(output.features.sizes(), (std::vector<std::int64_t>{2, network->feature_dimension()}));
  EXPECT_EQ(output.hash.size(0), 2);
  EXPECT_EQ(output.hash.size(1) % 32, 0);
  EXPECT_EQ(output.logits.sizes(), (std::vector<std::int64_t>{2, 3}));
  if (output.attention.defined()) {
    EXPECT_EQ(output.attention.dim(), 3);
  }
}

TEST_P(EveryNetwork, HashesItsFeaturesAlone) {
  const auto network = make();
  network->eval();
  const auto output = network->forward(images(2));
  std::vector<Tensor> parts;
  for (const auto& slice : network->hash_slices()) {
    const auto features = output.features.narrow(1, slice.first_column, slice.layer->options.in_features());
    parts.push_back(features.mm(slice.layer->weight.t()) + slice.layer->bias);
  }
  EXPECT_TRUE(::torch::allclose(::torch::cat(parts, 1), output.hash, 1e-4, 1e-5));
}

TEST_P(EveryNetwork, FollowsFromTheSeed) {
  const auto first = make();
  const auto second = make();
  const auto a = first->parameters();
  const auto b = second->parameters();
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(::torch::equal(a[i], b[i]));
}

std::string test_name(const ::testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Networks, EveryNetwork, ::testing::ValuesIn(network_type_names()), test_name);

}  // namespace
}  // namespace medretrieval::deep
