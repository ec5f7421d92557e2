// What every network must do: shapes, codes that are the threshold of its hash layer, weights that follow from the
// seed, gradients that reach every weight, learning 32 images by heart.
#include <gtest/gtest.h>

#include "network_testing.hpp"

namespace medretrieval::deep {
namespace {

constexpr std::int64_t kClasses = 4;

/// The smallest side that a network takes: tests of behaviour need no more.
NetworkShape small_shape(const std::string& network, std::size_t bits) {
  return {network_type(network).minimum_side, bits, kClasses};
}

std::string parameter_name(const ::testing::TestParamInfo<std::string>& info) {
  return testing::plain_name(info.param);
}

class EveryNetwork : public ::testing::TestWithParam<std::string> {
 protected:
  EveryNetwork() { ::at::set_num_threads(1); }

  std::shared_ptr<Network> make() { return testing::make_seeded(GetParam(), shape_); }
  Tensor images(std::int64_t rows) {
    return testing::smooth_images(rows, static_cast<std::int64_t>(shape_.side));
  }

  NetworkShape shape_ = small_shape(GetParam(), 32);
};

TEST_P(EveryNetwork, GivesItsShapes) {
  const auto network = make();
  network->eval();
  const ::torch::NoGradGuard guard;
  const auto output = network->forward(images(2));
  EXPECT_EQ(output.features.sizes(), (std::vector<std::int64_t>{2, network->feature_dimension()}));
  EXPECT_EQ(output.hash.sizes(),
            (std::vector<std::int64_t>{2, 32 * static_cast<std::int64_t>(network->hash_slices().size())}));
  EXPECT_EQ(output.logits.sizes(), (std::vector<std::int64_t>{2, kClasses}));
  for (const auto& part : {output.features, output.hash, output.logits}) {
    EXPECT_TRUE(::torch::isfinite(part).all().item<bool>());
  }
  if (output.attention.defined()) {
    EXPECT_EQ(output.attention.dim(), 3);
    EXPECT_EQ(output.attention.size(0), 2);
    EXPECT_TRUE(::torch::isfinite(output.attention).all().item<bool>());
    EXPECT_GE(output.attention.min().item<float>(), 0);
  }
  EXPECT_EQ(output.reconstruction.defined(), network->has_decoder());
  if (output.reconstruction.defined()) {
    EXPECT_EQ(output.reconstruction.sizes(), images(2).sizes());
  }
}

TEST_P(EveryNetwork, HashesItsFeaturesAlone) {
  const auto network = make();
  network->eval();
  const ::torch::NoGradGuard guard;
  const auto output = network->forward(images(5));
  std::vector<Tensor> parts;
  std::int64_t column = 0;
  for (const auto& slice : network->hash_slices()) {
    EXPECT_EQ(slice.first_column, column);
    column += slice.layer->options.in_features();
    const auto features = output.features.narrow(1, slice.first_column, slice.layer->options.in_features());
    parts.push_back(features.mm(slice.layer->weight.t()) + slice.layer->bias);
  }
  EXPECT_EQ(column, network->feature_dimension());
  const Tensor expected = ::torch::cat(parts, 1);
  EXPECT_TRUE(::torch::allclose(expected, output.hash, 1e-4, 1e-5));
  // The code, wherever rounding cannot turn it, is the threshold at 0 as of the sigmoid at one half.
  const Tensor sure = expected.abs() > 1e-4;
  EXPECT_TRUE(((expected > 0) == (output.hash > 0)).masked_select(sure).all().item<bool>());
  EXPECT_TRUE(
      ((::torch::sigmoid(expected) > 0.5) == (output.hash > 0)).masked_select(sure).all().item<bool>());
}

TEST_P(EveryNetwork, FollowsFromTheSeed) {
  const auto first = make()->parameters();
  const auto second = make()->parameters();
  ASSERT_EQ(first.size(), second.size());
  for (std::size_t i = 0; i < first.size(); ++i) EXPECT_TRUE(::torch::equal(first[i], second[i]));
}

TEST_P(EveryNetwork, GivesAnImageTheSameCodeInAnyBatch) {
  const auto network = make();
  network->eval();
  const ::torch::NoGradGuard guard;
  const Tensor batch = images(3);
  const Tensor together = network->forward(batch).hash;
  for (std::int64_t i = 0; i < batch.size(0); ++i) {
    const Tensor alone = network->forward(batch.narrow(0, i, 1)).hash;
    EXPECT_TRUE(::torch::allclose(alone[0], together[i], 1e-3, 1e-4)) << "row " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, EveryNetwork, ::testing::ValuesIn(network_type_names()), parameter_name);

TEST(MakeNetwork, RefusesShapesThatANetworkCannotHave) {
  EXPECT_THROW(make_network("fcdn", {96, 32, 2}, {}), Error);
  EXPECT_THROW(make_network("resnet18", {16, 32, 2}, {}), Error);
  EXPECT_THROW(make_network("resnet18", {64, 4, 2}, {}), Error);
  EXPECT_THROW(make_network("resnet18", {64, 32, 0}, {}), Error);
  EXPECT_THROW(make_network("alexnet", {64, 32, 2}, {}), Error);
  EXPECT_THROW(make_network("resnet18", {64, 32, 2}, {}, {{"module", {}}}), Error);
  EXPECT_THROW(make_network("resnet18", {64, 32, 2}, {{"width", std::int64_t{3}}}), Error);
}

// ---- Every position of every switch.

struct Position {
  std::string network;
  Parameters options;
};

std::ostream& operator<<(std::ostream& stream, const Position& position) {
  stream << position.network;
  for (const auto& [name, value] : position.options) stream << " " << name << "=" << to_string(value);
  return stream;
}

template <class WithPosition>
std::string position_name(const ::testing::TestParamInfo<WithPosition>& position) {
  std::ostringstream name;
  name << position.param;
  return testing::plain_name(name.str());
}

ParameterValue word(const char* value) {
  return std::string(value);
}

std::vector<Position> positions() {
  std::vector<Position> all;
  for (const char* form : {"parallel", "cnn", "bilstm", "cnn-bilstm", "bilstm-cnn"}) {
    for (const bool attention : {true, false}) {
      all.push_back({"attention-cnn-bilstm", {{"form", word(form)}, {"attention", attention}}});
    }
  }
  for (const char* branch : {"fused", "local", "global"}) {
    all.push_back({"spatial-attention-resnet18", {{"branch", word(branch)}}});
    all.push_back({"semantic-attention", {{"branch", word(branch)}}});
  }
  for (const char* descriptors : {"max", "mean", "pool", "max+mean", "pool+max"}) {
    all.push_back({"spatial-attention-resnet18", {{"descriptors", word(descriptors)}}});
  }
  all.push_back({"semantic-attention", {{"posterior", word("sigmoid")}}});
  all.push_back({"semantic-attention", {{"depth", std::int64_t{34}}, {"stages", std::int64_t{4}}}});
  for (const char* layers : {"joint", "shallow", "middle", "deep"}) {
    all.push_back({"fcdn", {{"layers", word(layers)}}});
  }
  all.push_back({"fcdn", {{"hash_bias", true}}});
  for (const char* plain : {"resnet18", "resnet50", "spatial-attention-resnet", "vgg16", "scripted"}) {
    all.push_back({plain, {}});
  }
  for (const char* head : {"latent", "outputs"}) all.push_back({"resnet18", {{"head", word(head)}}});
  all.push_back({"scripted", {{"trainable", true}}});
  return all;
}

class EveryPosition : public ::testing::TestWithParam<Position> {
 protected:
  EveryPosition() { ::at::set_num_threads(1); }
};

TEST_P(EveryPosition, HasNoDeadWeight) {
  const auto& [name, options] = GetParam();
  const NetworkShape shape = small_shape(name, 32);
  const auto network = testing::make_seeded(name, shape, options);
  const auto output = network->forward(testing::smooth_images(4, static_cast<std::int64_t>(shape.side)));
  // What the losses of training see; the features are behind both hash and logits.
  Tensor sum = (output.hash * ::torch::randn_like(output.hash)).sum() +
               (output.logits * ::torch::randn_like(output.logits)).sum();
  if (output.reconstruction.defined()) {
    sum = sum + (output.reconstruction * ::torch::randn_like(output.reconstruction)).sum();
  }
  sum.backward();
  for (const auto& entry : network->named_parameters()) {
    const Tensor& parameter = entry.value();
    if (!parameter.requires_grad()) continue;
    ASSERT_TRUE(parameter.grad().defined()) << entry.key();
    EXPECT_TRUE(::torch::isfinite(parameter.grad()).all().item<bool>()) << entry.key();
    EXPECT_GT(parameter.grad().abs().max().item<float>(), 1e-9F) << entry.key();
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, EveryPosition, ::testing::ValuesIn(positions()), position_name<Position>);

// ---- Learning 32 images by heart.

struct Learner : Position {
  double rate = 1e-3;
  int steps = 60;  ///< at most
};

std::vector<Learner> learners() {
  std::vector<Learner> all;
  // The LSTM takes a second and a half for a step; so not all forms, and no dropout.
  for (const char* form : {"parallel", "cnn", "cnn-bilstm"}) {
    all.push_back({{"attention-cnn-bilstm", {{"form", word(form)}, {"dropout", 0.0}}}, 1e-3, 40});
  }
  for (const char* name : {"resnet18", "resnet50", "semantic-attention", "spatial-attention-resnet18",
                           "spatial-attention-resnet"}) {
    all.push_back({{name, {}}});
  }
  all.push_back({{"fcdn", {{"width", std::int64_t{8}}, {"growth", std::int64_t{8}}}}, 3e-3, 150});
  all.push_back({{"vgg16", {}}, 1e-4});
  all.push_back({{"scripted", {}}, 1e-2, 1000});
  all.push_back({{"scripted", {{"trainable", true}}}, 1e-2, 1000});
  return all;
}

class Learning : public ::testing::TestWithParam<Learner> {
 protected:
  Learning() { ::at::set_num_threads(1); }
};

TEST_P(Learning, ReachesEveryImage) {
  constexpr std::int64_t kRows = 32;
  const Learner& learner = GetParam();
  const NetworkShape shape = small_shape(learner.network, 32);
  const auto network = testing::make_seeded(learner.network, shape, learner.options);
  const Tensor images = testing::striped_images(kRows, static_cast<std::int64_t>(shape.side), kClasses);
  const Tensor labels = ::torch::arange(kRows) % kClasses;
  ::torch::optim::Adam optimizer(network->parameters(), ::torch::optim::AdamOptions(learner.rate));
  double accuracy = 0;
  int step = 0;
  while (accuracy < 1 && step < learner.steps) {
    network->train();
    for (int i = 0; i < 5; ++i, ++step) {
      optimizer.zero_grad();
      ::torch::nn::functional::cross_entropy(network->forward(images).logits, labels).backward();
      optimizer.step();
    }
    network->eval();
    const ::torch::NoGradGuard guard;
    const Tensor predicted = network->forward(images).logits.argmax(1);
    accuracy = (predicted == labels).to(::torch::kFloat64).mean().item<double>();
  }
  EXPECT_EQ(accuracy, 1) << "after " << step << " steps";
  RecordProperty("steps", step);
}

INSTANTIATE_TEST_SUITE_P(Networks, Learning, ::testing::ValuesIn(learners()), position_name<Learner>);

}  // namespace
}  // namespace medretrieval::deep
