// An interrupted training goes on as if it had never stopped, and only as the same training.
#include <gtest/gtest.h>

#include <medretrieval/torch/training.hpp>

#include "drawn_images.hpp"
#include "network_testing.hpp"
#include "support/expect_error.hpp"

namespace medretrieval::deep {
namespace {

using testing::make_images;
using testing::quick_options;
using testing::resnet_options;

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
  EXPECT_ERROR(train_network(options, make_images(48)), incompatible,
               "other options or images (seed: expected 2, got 1); remove it");
  options.seed = 1;
  options.plan->learning_rate = 0.25;
  EXPECT_ERROR(train_network(options, make_images(48)), incompatible,
               "(plan/learning_rate: expected 0.25, got 0.001)");
  options.plan->learning_rate = 0.001;
  options.network_options.erase("form");
  EXPECT_ERROR(train_network(options, make_images(48)), incompatible,
               "(options/form: expected nothing, got \"cnn\")");
  options.network_options = quick_options().network_options;
  EXPECT_ERROR(train_network(options, make_images(52)), incompatible,
               "other options or images (rows: expected");
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

}  // namespace
}  // namespace medretrieval::deep
