// Which epoch's weights are kept, and when a training stops.
#include <gtest/gtest.h>

#include <medretrieval/torch/training.hpp>

#include "drawn_images.hpp"
#include "network_testing.hpp"
#include "support/expect_error.hpp"
#include "torch/deep_model_state.hpp"
#include "torch/epoch_judge.hpp"

namespace medretrieval::deep {
namespace {

using testing::make_images;
using testing::quick_options;
using testing::resnet_options;

/// What an epoch is worth that has a mAP of 0.5, an accuracy of 0.9 and an area of 0.7.
double worth(const std::string& network, const std::string& hashing, bool several_labels) {
  const auto made =
      make_network({.network = network, .options = {}, .side = 32, .bits = 16, .labels = {"a", "b"}});
  TrainingPlan plan;
  plan.objective.hashing = hashing;
  EpochFigures figures;
  figures.map = 0.5;
  figures.accuracy = 0.9;
  figures.area_under_curve = 0.7;
  return EpochJudge(plan, *made, several_labels).value_of(figures).value();
}

TEST(EpochJudge, LooksAtWhatIsLearned) {
  EXPECT_DOUBLE_EQ(worth("resnet18", "", false), 0.9);
  EXPECT_DOUBLE_EQ(worth("resnet18", "", true), 0.7);
  EXPECT_DOUBLE_EQ(worth("resnet18", "csq", false), 0.5);
  EXPECT_DOUBLE_EQ(worth("attention-cnn-bilstm", "", false), 0.7);
  EXPECT_DOUBLE_EQ(worth("attention-cnn-bilstm", "", true), 0.6);
  EXPECT_DOUBLE_EQ(worth("attention-cnn-bilstm", "csq", true), 0.5);
}

/// Discs, bars, and every fifth image with neither of its labels missing.
TrainingImages several_labels(std::size_t rows) {
  auto images = make_images(rows);
  for (std::size_t row = 0; row < rows; row += 5) images.labels[row] = {"disc", "bar"};
  return images;
}

TEST(Training, JudgesSeveralLabelsByTheAreaUnderTheCurve) {
  const auto report = train_network(resnet_options(), several_labels(80)).report;
  for (const auto& epoch : report.epochs) {
    ASSERT_TRUE(epoch.area_under_curve.has_value());
    EXPECT_GE(*epoch.area_under_curve, 0);
    EXPECT_LE(*epoch.area_under_curve, *report.epochs[report.best_epoch - 1].area_under_curve);
  }
}

TEST(Training, HasNoAreaUnderTheCurveOfOneLabelARow) {
  auto options = resnet_options();
  options.plan->epochs = 1;
  EXPECT_FALSE(train_network(options, make_images(48)).report.epochs[0].area_under_curve.has_value());
}

TEST(Training, RefusesPatienceThatNothingCanEnd) {
  auto options = quick_options();
  options.patience = 2;
  auto images = make_images(16);
  for (std::size_t row = 0; row < images.labels.size(); ++row) images.labels[row] = {std::to_string(row)};
  options.plan->objective.hashing = "csq";
  EXPECT_ERROR(train_network(options, images), invalid_argument,
               "patience: expected held-out rows that share");
  options.plan->objective.hashing = "";
  for (auto& labels : images.labels) labels = {"a", "b"};
  EXPECT_ERROR(train_network(options, images), invalid_argument, "held-out rows with a label that others");
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
  EXPECT_FALSE(trained.model.description().hash_learned);
  EXPECT_EQ(trained.report.best_epoch, first_best(trained.report, &EpochFigures::accuracy));
  options.plan->objective.hashing = "csq";
  trained = train_network(options, make_images(80));
  EXPECT_TRUE(trained.model.description().hash_learned);
  EXPECT_EQ(trained.report.best_epoch, first_best(trained.report, &EpochFigures::map));
}

TEST(Training, JudgesCodesThatOnlyAClassifierShapesByBoth) {
  const auto trained = train_network(quick_options(), make_images(80));
  const auto& report = trained.report;
  EXPECT_TRUE(trained.model.description().hash_learned);
  const auto sum = [](const EpochFigures& figures) { return *figures.map + *figures.accuracy; };
  for (const auto& epoch : report.epochs) {
    EXPECT_LE(sum(epoch), sum(report.epochs[report.best_epoch - 1])) << epoch.epoch;
  }
}

TEST(Training, StopsWhenValidationGetsNoBetter) {
  auto options = quick_options();
  options.plan->epochs = 40;
  options.patience = 2;
  const auto report = train_network(options, make_images(160)).report;
  EXPECT_TRUE(report.stopped_early);
  EXPECT_EQ(report.epochs.size(), report.best_epoch + 2);
}

}  // namespace
}  // namespace medretrieval::deep
