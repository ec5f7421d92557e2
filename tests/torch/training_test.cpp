// Training end to end on small drawn images: it learns, it repeats, it resumes, it keeps patients apart.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <medretrieval/torch/deep_model.hpp>
#include <medretrieval/torch/training.hpp>

#include "drawn_images.hpp"
#include "network_testing.hpp"
#include "support/expect_error.hpp"

namespace medretrieval::deep {
namespace {

namespace fs = std::filesystem;
using imaging::Image;
using testing::draw;
using testing::make_images;
using testing::quick_options;

std::vector<float> features_of(const DeepModel& model) {
  const std::vector<Image> images = {draw(1000), draw(1001)};
  const Analysis analysis = model.analyse(images, {.threads = 1});
  return {analysis.features.data(), analysis.features.data() + 2 * model.dimension()};
}

TrainingOptions resnet_options() {
  auto options = quick_options();
  options.network = "resnet18";
  options.network_options = {};
  options.side = 32;
  return options;
}

TEST(Training, LearnsToTellDiscsFromBars) {
  const TrainedNetwork trained = train_network(quick_options(), make_images(160));
  ASSERT_EQ(trained.report.epochs.size(), 6U);
  EXPECT_LT(trained.report.epochs.back().loss, 0.5 * trained.report.epochs.front().loss);
  EXPECT_GT(trained.report.epochs[trained.report.best_epoch - 1].map.value(), 0.95);
  EXPECT_GT(trained.report.epochs.back().accuracy.value(), 0.95);
  EXPECT_EQ(trained.report.training_rows + trained.report.validation_rows, 160U);
  EXPECT_EQ(trained.report.validation_rows, 32U);
  ASSERT_NE(trained.model.gate(), nullptr);
}

TEST(Training, GivesTheSameWeightsAgain) {
  const auto images = make_images(48);
  EXPECT_EQ(train_network(quick_options(), images).model.fingerprint(),
            train_network(quick_options(), images).model.fingerprint());
}

/// What a training has besides weights and figures; each must come back from a checkpoint.
struct ResumeCase {
  const char* name;
  std::function<void(TrainingOptions&)> change;
};

class Resuming : public ::testing::TestWithParam<ResumeCase> {};

TEST_P(Resuming, GoesOnFromACheckpointAsIfItHadNeverStopped) {
  const testing::TemporaryFolder folder;
  const auto images = make_images(48);
  auto options = quick_options();
  GetParam().change(options);
  const Fingerprint whole = train_network(options, images).model.fingerprint();
  options.checkpoint = folder / "checkpoint";
  for (const std::size_t stop_after : {1U, 3U, 4U}) {
    auto interrupted = options;
    std::size_t epochs = 0;
    interrupted.on_epoch = [&](const EpochFigures& figures) { epochs = figures.epoch; };
    interrupted.progress = [&](const ProgressReport&) { return epochs < stop_after; };
    EXPECT_ERROR(train_network(interrupted, images), cancelled, "training");
    EXPECT_EQ(epochs, stop_after);
  }
  EXPECT_EQ(train_network(options, images).model.fingerprint(), whole);
}

std::vector<ResumeCase> resume_cases() {
  return {{"adam", [](TrainingOptions&) {}},
          {"adamw", [](TrainingOptions& options) { options.plan->optimizer = Optimizer::adamw; }},
          {"sgd",
           [](TrainingOptions& options) {
             options.plan->optimizer = Optimizer::sgd;
             options.plan->weight_decay = 1e-3;
           }},
          {"decay",
           [](TrainingOptions& options) {
             options.plan->decay_epochs = 2;
             options.plan->decay_factor = 0.1;
           }},
          {"hashnet", [](TrainingOptions& options) { options.plan->objective.hashing = "hashnet"; }},
          {"cnnh", [](TrainingOptions& options) { options.plan->objective.hashing = "cnnh"; }},
          {"batch_normalization_on_two_threads",
           [](TrainingOptions& options) {
             options = resnet_options();
             options.threads = 2;
             options.balance_classes = true;
           }},
          {"decoder",
           [](TrainingOptions& options) {
             options.network = "fcdn";
             options.network_options = {{"width", std::int64_t{4}}, {"growth", std::int64_t{4}}};
             options.plan->optimizer = Optimizer::adamw;
             options.plan->objective.hashing = "fcdn-codes";
             options.plan->objective.reconstruction = 1;
           }},
          {"fixed_features",
           [](TrainingOptions& options) {
             options.network = "scripted";
             options.network_options = testing::needed_options("scripted");
             options.plan->objective.hashing = "dh";
           }},
          {"regularizers",
           [](TrainingOptions& options) {
             options.plan->objective.quantization = 0.1;
             options.plan->objective.bit_balance = 0.1;
           }},
          {"augmentation", [](TrainingOptions& options) { options.augmentation.emplace(); }},
          {"patience", [](TrainingOptions& options) { options.patience = 5; }}};
}

INSTANTIATE_TEST_SUITE_P(Training, Resuming, ::testing::ValuesIn(resume_cases()),
                         [](const auto& one) { return std::string(one.param.name); });

TEST(Training, RefusesACheckpointOfAnotherTraining) {
  const testing::TemporaryFolder folder;
  auto options = quick_options();
  options.plan->epochs = 1;
  options.checkpoint = folder / "checkpoint";
  train_network(options, make_images(48));
  options.seed = 2;
  EXPECT_ERROR(train_network(options, make_images(48)), incompatible, "other options or images");
  options.seed = 1;
  EXPECT_ERROR(train_network(options, make_images(52)), incompatible, "other options or images");
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

TEST(Training, ACheckpointOfOtherSourcesIsRefused) {
  const testing::TemporaryFolder folder;
  auto images = make_images(48);
  images.sources.assign(48, "a");
  auto options = quick_options();
  options.plan->epochs = 1;
  options.checkpoint = folder / "checkpoint";
  train_network(options, images);
  images.sources[7] = "b";
  EXPECT_ERROR(train_network(options, images), incompatible, "other options or images");
  images.sources.pop_back();
  EXPECT_ERROR(train_network(options, images), invalid_argument,
               "a source for each of 48 rows or none, got 47");
}

TEST(Training, WhatLibtorchRefusesIsAnError) {
  auto options = resnet_options();
  options.plan->batch = 1;
  EXPECT_ERROR(train_network(options, make_images(16)), unsupported, "libtorch says");
}

TEST(Training, RefusesPatienceThatNothingCanEnd) {
  auto options = quick_options();
  options.patience = 2;
  auto images = make_images(16);
  for (std::size_t row = 0; row < images.labels.size(); ++row) images.labels[row] = {std::to_string(row)};
  options.plan->objective.hashing = "csq";
  EXPECT_ERROR(train_network(options, images), invalid_argument,
               "patience: expected held-out rows that share");
}

std::size_t first_best(const TrainingReport& report, std::optional<double> EpochFigures::*figure) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < report.epochs.size(); ++i) {
    if (report.epochs[i].*figure > report.epochs[best].*figure) best = i;
  }
  return report.epochs[best].epoch;
}

TEST(Training, JudgesEpochsByCodesOnlyWhereALossShapesThem) {
  auto options = resnet_options();
  auto trained = train_network(options, make_images(80));
  EXPECT_FALSE(trained.report.hash_learned);
  EXPECT_EQ(trained.report.best_epoch, first_best(trained.report, &EpochFigures::accuracy));
  options.plan->objective.hashing = "csq";
  trained = train_network(options, make_images(80));
  EXPECT_TRUE(trained.report.hash_learned);
  EXPECT_EQ(trained.report.best_epoch, first_best(trained.report, &EpochFigures::map));
}

TEST(Training, JudgesCodesThatOnlyAClassifierShapesByBoth) {
  const auto report = train_network(quick_options(), make_images(80)).report;
  EXPECT_TRUE(report.hash_learned);
  const auto sum = [](const EpochFigures& figures) { return *figures.map + *figures.accuracy; };
  for (const auto& epoch : report.epochs) {
    EXPECT_LE(sum(epoch), sum(report.epochs[report.best_epoch - 1])) << epoch.epoch;
  }
}

TEST(Training, TeachesAHashLayerOnFixedFeatures) {
  auto options = quick_options();
  options.network = "scripted";
  options.network_options = testing::needed_options("scripted");
  options.plan = network_type("scripted").plan;
  options.plan->learning_rate = 0.01;
  options.plan->batch = 16;
  const auto trained = train_network(options, make_images(160));
  EXPECT_TRUE(trained.report.hash_learned);
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

TEST(Training, StopsWhenValidationGetsNoBetter) {
  auto options = quick_options();
  options.plan->epochs = 40;
  options.patience = 2;
  const auto report = train_network(options, make_images(160)).report;
  EXPECT_TRUE(report.stopped_early);
  EXPECT_EQ(report.epochs.size(), report.best_epoch + 2);
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
