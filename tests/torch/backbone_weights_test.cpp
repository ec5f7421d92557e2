// Trainings whose backbone begins with weights from elsewhere.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <medretrieval/torch/training.hpp>

#include "base/random.hpp"
#include "io/section_file.hpp"
#include "network_testing.hpp"
#include "support/expect_error.hpp"
#include "torch/network_file.hpp"

namespace medretrieval::deep {
namespace {

using imaging::Image;

/// Noise, brighter in odd rows.
TrainingImages make_images() {
  TrainingImages images;
  images.load = [](std::size_t row) {
    detail::Random random(row);
    Image image(32, 32, imaging::PixelUnit::display);
    for (float& value : image.pixels())
      value = static_cast<float>((row % 2 == 0 ? 0.1 : 0.6) + 0.3 * random.uniform());
    return image;
  };
  for (std::size_t row = 0; row < 10; ++row) {
    images.labels.push_back({row % 2 == 0 ? "dark" : "bright"});
    images.patients.push_back(std::string("P").append(std::to_string(row)));
  }
  return images;
}

class BackboneWeights : public ::testing::Test {
 protected:
  BackboneWeights() {
    options_.network = "semantic-attention";
    options_.network_options = {{"features", std::int64_t{16}}};
    options_.side = 32;
    options_.bits = 16;
    TrainingPlan plan;
    plan.optimizer = Optimizer::sgd;
    plan.epochs = 2;
    plan.batch = 8;
    plan.learning_rate = 1e-3;
    options_.plan = plan;
    options_.threads = 1;
    options_.backbone_weights = folder_ / "weights.pt";
    weights_ = testing::residual_weights();
    save();
  }

  void save() { testing::write_weights(options_.backbone_weights, weights_); }

  Fingerprint trained() const { return train_network(options_, make_images()).model.fingerprint(); }

  testing::TemporaryFolder folder_;
  TrainingOptions options_;
  std::map<std::string, Tensor> weights_;
};

/// Steps too small for a float to notice leave what the training began with.
TEST_F(BackboneWeights, AreWhatTheTrainingBeginsWith) {
  options_.plan->learning_rate = 1e-30;
  options_.plan->epochs = 1;
  weights_["fc.weight"] = ::torch::ones({1000, 512});
  weights_["fc.bias"] = ::torch::ones({1000});
  weights_["layer2.0.bn1.bias"] = ::torch::full({128}, 0.25);  // begins at 0, where every step counts
  save();
  const auto trained = train_network(options_, make_images());
  EXPECT_THAT(trained.report.unused_weights, ::testing::ElementsAre("fc.bias", "fc.weight"));
  const auto file = folder_ / "model";
  trained.model.save(file);
  const auto tensors = read_tensors(*io::SectionFile::map(file), detail::NetworkSection::tensor_index,
                                    detail::NetworkSection::tensor_data);
  for (const std::string name : {"conv1.weight", "layer3.1.conv2.weight", "layer2.0.bn1.bias"})
    EXPECT_TRUE(::torch::equal(tensors.at("backbone." + name), weights_.at(name))) << name;
}

TEST_F(BackboneWeights, AreNotTakenAgainByATrainingThatGoesOn) {
  const Fingerprint whole = trained();
  options_.checkpoint = folder_ / "checkpoint";
  auto interrupted = options_;
  std::size_t epochs = 0;
  interrupted.on_epoch = [&](const EpochFigures& figures) { epochs = figures.epoch; };
  interrupted.progress = [&](const ProgressReport&) { return epochs < 1; };
  EXPECT_ERROR(train_network(interrupted, make_images()), cancelled, "training");
  ASSERT_EQ(epochs, 1U);
  EXPECT_EQ(trained(), whole);
}

TEST_F(BackboneWeights, BelongToTheCheckpoint) {
  options_.plan->epochs = 1;
  options_.checkpoint = folder_ / "checkpoint";
  trained();
  EXPECT_NO_THROW(trained());
  weights_["conv1.weight"] = weights_["conv1.weight"] * 2;
  save();
  EXPECT_ERROR(trained(), incompatible, "checkpoint");
  options_.backbone_weights.clear();
  EXPECT_ERROR(trained(), incompatible, "checkpoint");
}

TEST_F(BackboneWeights, AreRefusedWhereTheyDoNotFit) {
  auto other = options_;
  other.network = "attention-cnn-bilstm";
  other.network_options = {};
  EXPECT_ERROR(train_network(other, make_images()), unsupported, "no backbone");
  other = options_;
  other.backbone_weights = folder_ / "none.pt";
  EXPECT_ERROR(train_network(other, make_images()), not_found, "none.pt");
  weights_.erase("layer1.0.conv1.weight");
  save();
  EXPECT_ERROR(trained(), incompatible, "'layer1.0.conv1.weight'");
}

}  // namespace
}  // namespace medretrieval::deep
