#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <medretrieval/eval/classification.hpp>
#include <nlohmann/json.hpp>

#include "support/expect_error.hpp"

namespace medretrieval::eval {
namespace {

using ::testing::HasSubstr;

const std::vector<std::string> kNames = {"benign", "malignant", "unsure"};

/// Five benign rows, four told right; three malignant ones, one told right; nobody is unsure.
ClassificationReport example() {
  const std::vector<ClassId> truth = {0, 0, 0, 0, 0, 1, 1, 1};
  const std::vector<ClassId> predicted = {0, 0, 0, 0, 1, 1, 0, 2};
  const std::vector<std::string> patients = {"A", "A", "B", "B", "C", "D", "", ""};
  return classification_report(kNames, truth, predicted, patients, 3);
}

TEST(Classification, CountsByHand) {
  const auto report = example();
  EXPECT_EQ(report.rows, 8U);
  EXPECT_EQ(report.patients, 4U);
  EXPECT_DOUBLE_EQ(report.accuracy, 5.0 / 8);
  EXPECT_DOUBLE_EQ(report.balanced_accuracy, (4.0 / 5 + 1.0 / 3) / 2);
  EXPECT_DOUBLE_EQ(report.chance, 5.0 / 8);
  EXPECT_EQ(report.confusion, (std::vector<std::vector<std::size_t>>{{4, 1, 0}, {1, 1, 1}, {0, 0, 0}}));
  EXPECT_LT(report.accuracy_interval.low, report.accuracy);
  EXPECT_GT(report.accuracy_interval.high, report.accuracy);
  EXPECT_EQ(example().accuracy_interval.low, report.accuracy_interval.low) << "repeats for a seed";
}

TEST(Classification, IsPrintedWithItsConfusionMatrix) {
  const auto report = example();
  EXPECT_THAT(text_classification(report), HasSubstr("8 rows of 4 known patients\naccuracy 0.625 ["));
  EXPECT_THAT(text_classification(report), HasSubstr("chance 0.625, balanced accuracy 0.567"));
  EXPECT_THAT(text_classification(report), ::testing::ContainsRegex("malignant +1 +1 +1\n"));
  const auto json = nlohmann::json::parse(json_classification(report));
  EXPECT_EQ(json["labels"], nlohmann::json(kNames));
  EXPECT_EQ(json["confusion"][1], (nlohmann::json{1, 1, 1}));
  EXPECT_EQ(json["accuracy"], 0.625);
  EXPECT_EQ(json["accuracy_interval"].size(), 2U);
}

TEST(AreaUnderCurve, CountsPairsWithTiesAsHalf) {
  using Scores = std::vector<float>;
  using Marks = std::vector<std::uint8_t>;
  EXPECT_DOUBLE_EQ(area_under_curve(Scores{1, 2, 3, 4}, Marks{0, 0, 1, 1}).value(), 1);
  EXPECT_DOUBLE_EQ(area_under_curve(Scores{4, 3, 2, 1}, Marks{0, 0, 1, 1}).value(), 0);
  EXPECT_DOUBLE_EQ(area_under_curve(Scores{5, 5, 5}, Marks{0, 1, 1}).value(), 0.5);
  // Positives 0.8 and 0.4 against 0.4 and 0.1: 1, 1, 0.5 and 1 of four pairs.
  EXPECT_DOUBLE_EQ(area_under_curve(Scores{0.4F, 0.8F, 0.1F, 0.4F}, Marks{0, 1, 0, 1}).value(), 3.5 / 4);
  EXPECT_FALSE(area_under_curve(Scores{1, 2}, Marks{1, 1}).has_value());
  EXPECT_FALSE(area_under_curve(Scores{1, 2}, Marks{0, 0}).has_value());
  EXPECT_ERROR(area_under_curve(Scores{1}, Marks{1, 0}), invalid_argument, "got 1");
  EXPECT_ERROR(area_under_curve(Scores{std::numeric_limits<float>::quiet_NaN()}, Marks{1}), invalid_argument,
               "NaN");
}

TEST(SeveralLabels, CountByHand) {
  const LabelVocabulary names({"effusion", "mass", "hernia"});
  const std::vector<std::vector<std::string>> truth = {
      {"effusion"}, {"effusion", "mass"}, {"mass"}, {"mass"}};
  Matrix posteriors(4, 3);
  const float values[4][3] = {{0.9F, 0.1F, 0}, {0.4F, 0.8F, 0}, {0.2F, 0.7F, 0.6F}, {0.3F, 0.6F, 0}};
  for (std::size_t r = 0; r < 4; ++r) std::copy_n(values[r], 3, posteriors.row(r).data());
  const std::vector<std::string> patients = {"A", "B", "C", ""};
  const auto report = several_labels_report(names.names(), LabelSets(names, truth), posteriors, patients);
  ASSERT_EQ(report.labels.size(), 3U);
  EXPECT_EQ(report.labels[0].positives, 2U);
  EXPECT_DOUBLE_EQ(report.labels[0].accuracy, 0.75);
  EXPECT_DOUBLE_EQ(report.labels[0].area.value(), 1);
  EXPECT_DOUBLE_EQ(report.labels[1].accuracy, 1);
  EXPECT_DOUBLE_EQ(report.labels[2].accuracy, 0.75);
  EXPECT_FALSE(report.labels[2].area.has_value());
  EXPECT_DOUBLE_EQ(report.accuracy, 2.5 / 3);
  EXPECT_DOUBLE_EQ(report.chance, (0.5 + 0.75 + 1) / 3);
  EXPECT_DOUBLE_EQ(report.area.value(), 1);
  EXPECT_LE(report.accuracy_interval.low, report.accuracy);
  EXPECT_THAT(text_classification(report), ::testing::ContainsRegex("hernia +0 +0.750 +-\n"));
  const auto json = nlohmann::json::parse(json_classification(report));
  EXPECT_EQ(json["labels"][2]["area_under_curve"], nullptr);
  EXPECT_EQ(json["area_under_curve"], 1);
}

TEST(Classification, RefusesBadInput) {
  const std::vector<ClassId> two = {0, 1};
  const std::vector<ClassId> three = {0, 1, 3};
  const std::vector<std::string> patients(3);
  EXPECT_ERROR(classification_report(kNames, {}, {}, {}), invalid_argument, "got 0 rows");
  EXPECT_ERROR(classification_report(kNames, two, three, patients), invalid_argument, "2 rows, 3 answers");
  EXPECT_ERROR(classification_report(kNames, three, three, patients), invalid_argument, "below 3, got 3");
  LabelSets labels;
  labels.add_row(std::span(two).first(1));
  const std::vector<std::string> one(1);
  Matrix posteriors(1, 2);
  EXPECT_ERROR(several_labels_report(kNames, labels, posteriors, one), invalid_argument, "got 2");
  posteriors(0, 1) = 1.5F;
  EXPECT_ERROR(several_labels_report({"a", "b"}, labels, posteriors, one), invalid_argument, "got 1.5");
}

}  // namespace
}  // namespace medretrieval::eval
