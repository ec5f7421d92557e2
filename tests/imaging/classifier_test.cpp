// Classifiers on drawn features: they learn, they repeat, they refuse.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <medretrieval/imaging/classifier.hpp>

#include "support/expect_error.hpp"
#include "support/random_features.hpp"

namespace medretrieval::imaging {
namespace {

using testing::clustered;
using testing::gaussian;

LabelSets sets_of(const std::vector<ClassId>& classes) {
  LabelSets labels;
  for (const auto label : classes) labels.add_row(std::span(&label, 1));
  return labels;
}

/// Row r has class r % classes, as the clusters of testing::clustered.
std::vector<ClassId> in_turn(std::size_t rows, ClassId classes) {
  std::vector<ClassId> turn;
  for (std::size_t r = 0; r < rows; ++r) turn.push_back(static_cast<ClassId>(r % classes));
  return turn;
}

double share_right(const Classifier& classifier, MatrixView features, const std::vector<ClassId>& truth) {
  const auto predicted = classifier.predict(features);
  std::size_t right = 0;
  for (std::size_t r = 0; r < truth.size(); ++r) right += predicted[r] == truth[r] ? 1 : 0;
  return static_cast<double>(right) / static_cast<double>(truth.size());
}

std::vector<float> values_of(const Matrix& matrix) {
  return {matrix.data(), matrix.data() + matrix.rows() * matrix.cols()};
}

ClassifierOptions quick(const std::string& method) {
  if (method == "svm") return {.method = "svm", .parameters = {{"c", 1.0}, {"gamma", 0.1}}};
  return {.method = "elm", .parameters = {{"nodes", std::int64_t{60}}, {"ridge", 0.1}}};
}

class Classifiers : public ::testing::TestWithParam<std::string> {};

TEST_P(Classifiers, TellThreeClassesApart) {
  const Matrix known = clustered(150, 8, 3, 0.6, 1);
  const Matrix asked = clustered(90, 8, 3, 0.6, 2);
  const auto classifier = train_classifier({.method = GetParam()}, known, sets_of(in_turn(150, 3)), 3);
  EXPECT_EQ(classifier->name(), GetParam());
  EXPECT_EQ(classifier->dimension(), 8U);
  EXPECT_EQ(classifier->class_count(), 3U);
  EXPECT_GT(share_right(*classifier, asked, in_turn(90, 3)), 0.95);
}

/// Inside or outside of a ring, which no plane divides.
TEST_P(Classifiers, TellARingFromItsMiddle) {
  const auto draw = [](std::uint64_t seed, std::vector<ClassId>& classes) {
    Matrix points = gaussian(300, 2, seed);
    for (std::size_t r = 0; r < points.rows(); ++r)
      classes.push_back(std::hypot(points(r, 0), points(r, 1)) > 1.18F ? 1 : 0);
    return points;
  };
  std::vector<ClassId> known_classes;
  std::vector<ClassId> asked_classes;
  const Matrix known = draw(1, known_classes);
  const Matrix asked = draw(2, asked_classes);
  const auto classifier = train_classifier({.method = GetParam()}, known, sets_of(known_classes), 2);
  EXPECT_GT(share_right(*classifier, asked, asked_classes), 0.93);
}

TEST_P(Classifiers, RepeatAtAnyNumberOfThreads) {
  const Matrix known = clustered(60, 8, 3, 2, 1);
  const Matrix asked = clustered(70, 8, 3, 2, 2);
  const auto labels = sets_of(in_turn(60, 3));
  const auto one = train_classifier({.method = GetParam(), .seed = 5, .threads = 1}, known, labels, 3);
  const auto three = train_classifier({.method = GetParam(), .seed = 5, .threads = 3}, known, labels, 3);
  EXPECT_EQ(one->parameters(), three->parameters());
  EXPECT_EQ(values_of(one->scores(asked, 3)), values_of(three->scores(asked, 1)));
}

TEST_P(Classifiers, DoNotDependOnUnitsOrOnColumnsThatNeverChange) {
  const Matrix plain = clustered(60, 4, 3, 1, 1);
  Matrix scaled(60, 5);
  for (std::size_t r = 0; r < 60; ++r) {
    for (std::size_t c = 0; c < 4; ++c) scaled(r, c) = 1024 * plain(r, c);
    scaled(r, 4) = 0.3F;
  }
  Matrix padded(60, 5);
  for (std::size_t r = 0; r < 60; ++r) std::copy_n(plain.row(r).data(), 4, padded.row(r).data());
  const auto labels = sets_of(in_turn(60, 3));
  const auto of_padded = train_classifier(quick(GetParam()), padded, labels, 3);
  const auto of_scaled = train_classifier(quick(GetParam()), scaled, labels, 3);
  EXPECT_EQ(values_of(of_padded->scores(padded)), values_of(of_scaled->scores(scaled)));
}

TEST_P(Classifiers, NeverAnswerAClassWithoutRows) {
  const Matrix known = clustered(40, 4, 2, 1, 1);
  auto classes = in_turn(40, 2);
  for (auto& label : classes) label = label == 0 ? 1 : 3;
  const auto classifier = train_classifier(quick(GetParam()), known, sets_of(classes), 5);
  const Matrix scores = classifier->scores(known);
  ASSERT_EQ(scores.cols(), 5U);
  for (std::size_t r = 0; r < scores.rows(); ++r) {
    for (const std::size_t absent : {0U, 2U, 4U})
      EXPECT_EQ(scores(r, absent), -std::numeric_limits<float>::infinity());
    EXPECT_TRUE(std::isfinite(scores(r, 1)) && std::isfinite(scores(r, 3)));
  }
}

TEST_P(Classifiers, ChooseOnlyWhatIsNotGiven) {
  const Matrix known = clustered(40, 4, 2, 1, 1);
  const auto labels = sets_of(in_turn(40, 2));
  auto options = quick(GetParam());
  std::size_t trainings = 0;
  options.progress = [&](const ProgressReport& report) {
    trainings = report.total;
    return true;
  };
  const auto given = options.parameters;
  auto used = train_classifier(options, known, labels, 2)->parameters();
  for (const auto& [name, value] : given) EXPECT_EQ(used.at(name), value) << name;
  EXPECT_EQ(trainings, 0U);
  const std::string free = GetParam() == "svm" ? "c" : "ridge";
  options.parameters.erase(free);
  options.parameters["folds"] = std::int64_t{4};
  used = train_classifier(options, known, labels, 2)->parameters();
  EXPECT_EQ(trainings, GetParam() == "svm" ? 4U * 4 : 7U * 4);
  EXPECT_GT(std::get<double>(used.at(free)), 0);
  EXPECT_EQ(used.size(), 3U);
}

TEST_P(Classifiers, RefuseBadInput) {
  const Matrix known = clustered(20, 4, 2, 1, 1);
  const auto options = quick(GetParam());
  const auto labels = sets_of(in_turn(20, 2));
  EXPECT_ERROR(train_classifier(options, known, sets_of(in_turn(19, 2)), 2), invalid_argument,
               "of 20 rows, got 19 and 0");
  EXPECT_ERROR(train_classifier(options, known, labels, 2, std::vector<std::string>(3)), invalid_argument,
               "got 20 and 3");
  EXPECT_ERROR(train_classifier(options, known, labels, 1), invalid_argument, "below 1, got 1 in row 1");
  EXPECT_ERROR(train_classifier(options, known, sets_of(in_turn(20, 1)), 2), invalid_argument,
               "at least two classes");
  EXPECT_ERROR(train_classifier(options, Matrix(), LabelSets(), 2), invalid_argument, "training features");
  Matrix with_nan = known.clone();
  with_nan(7, 2) = std::numeric_limits<float>::quiet_NaN();
  EXPECT_ERROR(train_classifier(options, with_nan, labels, 2), invalid_argument, "row 7");
  const auto classifier = train_classifier(options, known, labels, 2);
  EXPECT_ERROR(classifier->predict(with_nan), invalid_argument, "row 7");
  EXPECT_ERROR(classifier->predict(clustered(5, 3, 2, 1, 1)), invalid_argument, "features to classify");
  EXPECT_TRUE(classifier->predict(Matrix(0, 4)).empty());
}

TEST_P(Classifiers, RefuseRowsWithSeveralLabelsOrNone) {
  const Matrix known = clustered(3, 4, 2, 1, 1);
  LabelSets labels = sets_of({0, 1});
  const std::vector<ClassId> both = {0, 1};
  labels.add_row(both);
  EXPECT_ERROR(train_classifier(quick(GetParam()), known, labels, 2), unsupported, "got 2 in row 2");
  labels = sets_of({0, 1});
  labels.add_row({});
  EXPECT_ERROR(train_classifier(quick(GetParam()), known, labels, 2), invalid_argument, "row 2 has no label");
}

TEST_P(Classifiers, NeedTwoPatientsToChooseAndCanBeCancelled) {
  const Matrix known = clustered(20, 4, 2, 1, 1);
  const auto labels = sets_of(in_turn(20, 2));
  const std::vector<std::string> one(20, "P");
  EXPECT_ERROR(train_classifier({.method = GetParam()}, known, labels, 2, one), invalid_argument,
               "at least two patients");
  EXPECT_NO_THROW(train_classifier(quick(GetParam()), known, labels, 2, one));
  const Progress stop = [](const ProgressReport&) { return false; };
  EXPECT_ERROR(train_classifier({.method = GetParam(), .progress = stop}, known, labels, 2), cancelled,
               "cross-validation");
}

/// A fold's patients may be the only ones of a class: its rows are then told wrong, and the rest goes on.
TEST_P(Classifiers, ChooseWhereAClassHasOnePatient) {
  const Matrix known = clustered(30, 4, 3, 0.5, 1);
  const auto classes = in_turn(30, 3);
  std::vector<std::string> patients;
  for (std::size_t r = 0; r < 30; ++r)
    patients.push_back(classes[r] == 2 ? "rare" : "P" + std::to_string(r / 6));
  const auto classifier = train_classifier({.method = GetParam()}, known, sets_of(classes), 3, patients);
  EXPECT_GT(share_right(*classifier, known, classes), 0.9);
}

INSTANTIATE_TEST_SUITE_P(All, Classifiers, ::testing::ValuesIn(classifier_names()),
                         [](const auto& each) { return each.param; });

TEST(ClassifierRegistry, KnowsItsNamesAndOptions) {
  EXPECT_EQ(classifier_names(), (std::vector<std::string>{"svm", "elm"}));
  EXPECT_ERROR(classifier_info("forest"), not_found, "the known ones: svm, elm");
  EXPECT_ERROR((ClassifierOptions{.method = "forest"}.validate()), not_found, "forest");
  EXPECT_ERROR((ClassifierOptions{.method = "svm", .parameters = {{"nodes", std::int64_t{3}}}}.validate()),
               invalid_argument, "no option 'nodes'");
  EXPECT_ERROR((ClassifierOptions{.method = "elm", .parameters = {{"nodes", std::int64_t{0}}}}.validate()),
               invalid_argument, "must be 1 to 4096");
}

/// Rows at -1 and 1: both are support vectors at the margin, so that the decision value is 1 and -1 there, and by
/// symmetry 0 in the middle. Votes 1 and 0 get a quarter of f / (1 + |f|).
TEST(Svm, HasTheMarginOfTwoRowsByHand) {
  Matrix known(2, 1);
  known(0, 0) = -1;
  known(1, 0) = 1;
  const auto machine = train_classifier({.method = "svm", .parameters = {{"c", 1000.0}, {"gamma", 1.0}}},
                                        known, sets_of({0, 1}), 2);
  const Matrix scores = machine->scores(known);
  EXPECT_NEAR(scores(0, 0), 1.125, 1e-3);
  EXPECT_NEAR(scores(0, 1), -0.125, 1e-3);
  EXPECT_NEAR(scores(1, 0), -0.125, 1e-3);
  EXPECT_NEAR(scores(1, 1), 1.125, 1e-3);
  Matrix near(2, 1);
  near(0, 0) = -0.01F;
  near(1, 0) = 0.01F;
  EXPECT_EQ(machine->predict(near), (std::vector<ClassId>{0, 1}));
}

/// More hidden nodes than rows and hardly a ridge: the targets are met.
TEST(Elm, MeetsItsTargetsWhenItCan) {
  const Matrix known = gaussian(20, 6, 1);
  const auto classes = in_turn(20, 3);
  const auto machine =
      train_classifier({.method = "elm", .parameters = {{"nodes", std::int64_t{200}}, {"ridge", 1e-6}}},
                       known, sets_of(classes), 3);
  const Matrix scores = machine->scores(known);
  for (std::size_t r = 0; r < 20; ++r) {
    for (ClassId c = 0; c < 3; ++c) EXPECT_NEAR(scores(r, c), classes[r] == c ? 1 : -1, 0.02);
  }
}

TEST(Elm, DrawsItsNodesBySeed) {
  const Matrix known = clustered(40, 4, 2, 1, 1);
  const auto labels = sets_of(in_turn(40, 2));
  auto options = quick("elm");
  const auto first = values_of(train_classifier(options, known, labels, 2)->scores(known));
  options.seed = 2;
  EXPECT_NE(values_of(train_classifier(options, known, labels, 2)->scores(known)), first);
}

}  // namespace
}  // namespace medretrieval::imaging
