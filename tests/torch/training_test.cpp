// Training end to end on small drawn images: it learns, it repeats, it resumes, it keeps patients apart.
#include <gtest/gtest.h>

#include <algorithm>
#include <medretrieval/torch/deep_model.hpp>
#include <medretrieval/torch/training.hpp>

#include "drawn_images.hpp"
#include "network_testing.hpp"
#include "support/expect_error.hpp"

namespace medretrieval::deep {
namespace {

using imaging::Image;
using testing::draw;
using testing::make_images;
using testing::quick_options;
using testing::resnet_options;

std::vector<float> features_of(const DeepModel& model) {
  const std::vector<Image> images = {draw(1000), draw(1001)};
  const Analysis analysis = model.analyse(images, {.threads = 1});
  return {analysis.features.data(), analysis.features.data() + 2 * model.dimension()};
}

TEST(Training, LearnsToTellDiscsFromBars) {
  const TrainedNetwork trained = train_network(quick_options(), make_images(160));
  ASSERT_EQ(trained.report.epochs.size(), 6U);
  // The best epoch, not the last: rounding differs between machines, and a late step too far is no fault.
  const auto& epochs = trained.report.epochs;
  const EpochFigures& best = epochs[trained.report.best_epoch - 1];
  EXPECT_LT(std::min_element(epochs.begin(), epochs.end(),
                             [](const auto& a, const auto& b) { return a.loss < b.loss; })
                ->loss,
            0.8 * epochs.front().loss);
  EXPECT_GT(best.map.value(), 0.95);
  EXPECT_GT(best.accuracy.value(), 0.95);
  EXPECT_EQ(trained.report.training_rows + trained.report.validation_rows, 160U);
  EXPECT_EQ(trained.report.validation_rows, 32U);
  ASSERT_NE(trained.model.gate(), nullptr);
}

TEST(Training, GivesTheSameWeightsAgain) {
  const auto images = make_images(48);
  EXPECT_EQ(train_network(quick_options(), images).model.fingerprint(),
            train_network(quick_options(), images).model.fingerprint());
}

TEST(Training, PlansOfAllNetworksHold) {
  for (const auto& name : network_type_names()) {
    EXPECT_NO_THROW(network_type(name).plan.validate()) << name;
  }
}

TEST(Training, RefusesLabelsOutsideOfTheVocabularyAndUnknownLosses) {
  auto options = quick_options();
  options.labels = {"disc", "square"};
  EXPECT_ERROR(train_network(options, make_images(48)), not_found, "bar");
  options = quick_options();
  options.plan->objective.hashing = "hamming";
  EXPECT_ERROR(train_network(options, make_images(48)), not_found, "unknown hashing loss 'hamming'");
  options = quick_options();
  options.side = 33;
  EXPECT_ERROR(train_network(options, make_images(48)), invalid_argument, "multiple of 32");
  options = quick_options();
  options.device = "toaster";
  EXPECT_ERROR(train_network(options, make_images(48)), invalid_argument, "toaster");
  auto latin = make_images(48);
  for (auto& labels : latin.labels) labels.front() = labels.front() == "bar" ? "bar" : "disc \xe9";
  EXPECT_ERROR(train_network(quick_options(), latin), invalid_argument, "UTF-8");
}

/// A small network with a decoder, one epoch.
TrainingOptions decoder_options() {
  TrainingOptions options;
  options.network = "fcdn";
  options.network_options = {{"width", std::int64_t{2}}, {"growth", std::int64_t{2}}};
  options.bits = 8;
  TrainingPlan plan = network_type("fcdn").plan;
  plan.epochs = 1;
  plan.batch = 8;
  options.plan = plan;
  options.threads = 1;
  return options;
}

TEST(Training, ADecoderLearnsItsTargets) {
  auto images = make_images(16);
  const auto plain = train_network(decoder_options(), images).model.fingerprint();
  images.load_target = draw;
  EXPECT_EQ(train_network(decoder_options(), images).model.fingerprint(), plain)
      << "the image itself is the target when none is given";
  images.load_target = [](std::size_t) { return Image(1, 1, imaging::PixelUnit::display); };
  const auto loss_of = [](const TrainedNetwork& trained) { return trained.report.epochs.back().loss; };
  auto options = decoder_options();
  options.plan->epochs = 12;
  options.plan->learning_rate = 2e-2;
  options.plan->objective.classification = 1e-9;  // what is left is the picture
  options.plan->objective.hashing = "";
  EXPECT_LT(loss_of(train_network(options, images)), 0.4)
      << "black is easily learned; an untrained picture has 0.9";
}

TEST(Training, RefusesADecodersLossWithoutADecoder) {
  auto options = quick_options();
  options.plan->objective.reconstruction = 0.5;
  EXPECT_ERROR(
      train_network(options, make_images(16)), invalid_argument,
      "expected a reconstruction weight of 0 for network 'attention-cnn-bilstm', which has no decoder, got "
      "0.5");
}

TEST(Training, RefusesTargetsThatNothingLearns) {
  auto images = make_images(16);
  images.load_target = draw;
  EXPECT_ERROR(train_network(quick_options(), images), invalid_argument, "targets are given");
  auto options = decoder_options();
  options.plan->objective.reconstruction = 0;
  EXPECT_ERROR(train_network(options, images), invalid_argument, "targets are given");
}

TEST(Training, WithoutALossOfClassesThereIsNoGateAndNoAccuracy) {
  auto options = resnet_options();
  options.plan->epochs = 1;
  options.plan->objective.classification = 0;
  options.plan->objective.hashing = "csq";
  const auto trained = train_network(options, make_images(80));
  EXPECT_EQ(trained.model.gate(), nullptr);
  EXPECT_FALSE(trained.report.epochs[0].accuracy.has_value());
  EXPECT_TRUE(trained.report.epochs[0].map.has_value());
  options.network = "semantic-attention";
  EXPECT_ERROR(train_network(options, make_images(80)), invalid_argument,
               "looks where its classifier tells it");
}

TEST(Training, KnowsLabelsThatNoRowHas) {
  auto options = quick_options();
  options.plan->epochs = 1;
  options.labels = {"rare", "bar", "disc"};
  const auto trained = train_network(options, make_images(80));
  EXPECT_EQ(trained.model.description().labels, options.labels);
  ASSERT_NE(trained.model.gate(), nullptr);
  EXPECT_FALSE(trained.model.gate()->is_trained(0));
  EXPECT_TRUE(trained.model.gate()->is_trained(1));
}

TEST(Training, GatesOfSeveralLabelsNeedNoHeldOutRowWithSeveral) {
  auto images = make_images(80);
  for (std::size_t row = 0; row < 80; ++row) images.patients[row] = std::to_string(row);
  auto options = quick_options();
  options.plan->epochs = 1;
  images.labels[0] = {"disc", "bar"};  // one row alone: in most draws it is learned from
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    options.seed = seed;
    const auto trained = train_network(options, images);
    ASSERT_NE(trained.model.gate(), nullptr);
    EXPECT_TRUE(trained.model.gate()->several_labels());
  }
}

TEST(Training, WhatLibtorchRefusesIsAnError) {
  auto options = resnet_options();
  options.plan->batch = 1;
  EXPECT_ERROR(train_network(options, make_images(16)), unsupported, "libtorch says");
}

TEST(Training, TeachesAHashLayerOnFixedFeatures) {
  auto options = quick_options();
  options.network = "scripted";
  options.network_options = testing::needed_options("scripted");
  options.plan = network_type("scripted").plan;
  options.plan->learning_rate = 0.01;
  options.plan->batch = 16;
  const auto trained = train_network(options, make_images(160));
  EXPECT_TRUE(trained.model.description().hash_learned);
  ASSERT_GT(trained.report.best_epoch, 0U);
  EXPECT_GT(trained.report.epochs[trained.report.best_epoch - 1].map.value(),
            trained.report.epochs.front().map.value());
}

TEST(Training, RefusesBalancedClassesWithoutALossOfClasses) {
  auto options = quick_options();
  options.balance_classes = true;
  options.plan->objective.classification = 0;
  options.plan->objective.hashing = "csq";
  EXPECT_ERROR(train_network(options, make_images(16)), invalid_argument, "where classes are balanced");
}

TEST(DeepModel, ComesBackFromItsFile) {
  const testing::TemporaryFolder folder;
  auto options = quick_options();
  options.plan->epochs = 1;
  options.network_options["attention"] = true;
  const DeepModel model = train_network(options, make_images(48)).model;
  model.save(folder / "model");
  const DeepModel loaded = DeepModel::load(folder / "model");
  EXPECT_EQ(loaded.fingerprint(), model.fingerprint());
  EXPECT_EQ(features_of(loaded), features_of(model));
  EXPECT_EQ(loaded.description().labels, (std::vector<std::string>{"disc", "bar"}));
  const NetworkHead head = read_network_head(folder / "model");
  EXPECT_EQ(head.encoder->fingerprint(), model.encoder()->fingerprint());
  EXPECT_EQ(head.fingerprint, model.fingerprint());
  const std::vector<Image> images = {draw(1), draw(2), draw(3)};
  const Analysis analysis = loaded.analyse(images, {.attention = true});
  ASSERT_EQ(analysis.attention.size(), 3U);
  EXPECT_EQ(analysis.attention[0].width(), 4U);
  EXPECT_NEAR(analysis.posteriors(0, 0) + analysis.posteriors(0, 1), 1, 1e-5);
}

}  // namespace
}  // namespace medretrieval::deep
