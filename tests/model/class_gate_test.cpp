#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <medretrieval/class_gate.hpp>
#include <set>

#include "base/random.hpp"
#include "model/calibration_split.hpp"
#include "model/lbfgs.hpp"
#include "model/logistic_regression.hpp"
#include "support/expect_error.hpp"
#include "support/random_features.hpp"

namespace medretrieval {
namespace {

using testing::clustered;
using testing::gaussian;

LabelSets one_label_each(std::size_t rows, ClassId classes) {
  LabelSets labels;
  for (std::size_t r = 0; r < rows; ++r) {
    const auto label = static_cast<ClassId>(r % classes);
    labels.add_row({&label, 1});
  }
  return labels;
}

std::vector<std::string> patients_of(std::size_t rows, std::size_t rows_each) {
  std::vector<std::string> patients;
  for (std::size_t r = 0; r < rows; ++r) patients.push_back("p" + std::to_string(r / rows_each));
  return patients;
}

TEST(Lbfgs, FindsTheMinimumOfRosenbrocksFunction) {
  const auto found = detail::minimize_lbfgs(
      [](const std::vector<double>& x, std::vector<double>& gradient) {
        const double a = 1 - x[0];
        const double b = x[1] - x[0] * x[0];
        gradient = {-2 * a - 400 * x[0] * b, 200 * b};
        return a * a + 100 * b * b;
      },
      {-1.2, 1}, 200, 1e-8);
  EXPECT_NEAR(found.x[0], 1, 1e-6);
  EXPECT_NEAR(found.x[1], 1, 1e-6);
  EXPECT_LT(found.gradient_norm, 1e-8);
}

/// The penalized mean log-likelihood in double precision, written without the code under test.
double reference_loss(const Matrix& features, const LabelSets& labels, const LinearClassifier& classifier,
                      double regularization, std::size_t nudged, double by) {
  const std::size_t classes = classifier.weights.rows();
  const std::size_t dimension = classifier.weights.cols();
  const auto parameter = [&](std::size_t c, std::size_t d) {
    const double value =
        static_cast<double>(d < dimension ? classifier.weights(c, d) : classifier.offsets[c]);
    return value + (c * (dimension + 1) + d == nudged ? by : 0);
  };
  double loss = 0;
  double penalty = 0;
  for (std::size_t r = 0; r < features.rows(); ++r) {
    std::vector<double> z(classes);
    for (std::size_t c = 0; c < classes; ++c) {
      z[c] = parameter(c, dimension);
      for (std::size_t d = 0; d < dimension; ++d)
        z[c] += parameter(c, d) * static_cast<double>(features(r, d));
    }
    double sum = 0;
    for (const double value : z) sum += std::exp(value);
    for (std::size_t c = 0; c < classes; ++c) {
      const auto own = labels.row(r);
      const bool is_own = std::find(own.begin(), own.end(), c) != own.end();
      if (classifier.one_against_rest) {
        loss += std::log1p(std::exp(is_own ? -z[c] : z[c]));
      } else if (is_own) {
        loss += std::log(sum) - z[c];
      }
    }
  }
  for (std::size_t c = 0; c < classes; ++c) {
    for (std::size_t d = 0; d < dimension; ++d) penalty += parameter(c, d) * parameter(c, d);
  }
  return loss / static_cast<double>(features.rows()) + regularization / 2 * penalty;
}

TEST(LogisticRegression, ReachesAPointWhereEveryDerivativeVanishes) {
  // Features with mean 0 and variance 1, so that standardization changes nothing and the penalties agree.
  Matrix features = clustered(300, 6, 3, 1.0, 1);
  for (std::size_t d = 0; d < 6; ++d) {
    double mean = 0;
    double square = 0;
    for (std::size_t r = 0; r < 300; ++r) mean += static_cast<double>(features(r, d)) / 300;
    for (std::size_t r = 0; r < 300; ++r) {
      features(r, d) -= static_cast<float>(mean);
      square += static_cast<double>(features(r, d)) * static_cast<double>(features(r, d)) / 300;
    }
    for (std::size_t r = 0; r < 300; ++r) features(r, d) /= static_cast<float>(std::sqrt(square));
  }
  for (const bool several : {false, true}) {
    LabelSets labels;
    for (std::size_t r = 0; r < 300; ++r) {
      const ClassId both[] = {static_cast<ClassId>(r % 3), static_cast<ClassId>((r + 1) % 3)};
      labels.add_row({both, several && r % 2 == 0 ? 2U : 1U});
    }
    std::vector<std::size_t> rows(300);
    for (std::size_t r = 0; r < 300; ++r) rows[r] = r;
    const auto fit = detail::fit_logistic_regression(features, labels, rows, 3, several,
                                                     {.regularization = 0.05, .threads = 2});
    EXPECT_LT(fit.gradient_norm, 1e-3);
    EXPECT_NEAR(fit.loss, reference_loss(features, labels, fit.classifier, 0.05, ~std::size_t{0}, 0), 1e-4);
    for (std::size_t p = 0; p < 3 * 7; ++p) {
      constexpr double kStep = 1e-4;
      const double up = reference_loss(features, labels, fit.classifier, 0.05, p, kStep);
      const double down = reference_loss(features, labels, fit.classifier, 0.05, p, -kStep);
      EXPECT_NEAR((up - down) / (2 * kStep), 0, 2e-3) << "parameter " << p << (several ? ", several" : "");
    }
  }
}

TEST(CalibrationSplit, HoldsOutAFifthAndNeverSplitsAPatient) {
  const auto labels = one_label_each(1000, 4);
  const auto patients = patients_of(1000, 7);
  const auto split = detail::split_by_patient(labels, patients);
  EXPECT_EQ(split.fit.size() + split.held_out.size(), 1000U);
  EXPECT_GT(split.held_out.size(), 193U);
  EXPECT_LE(split.held_out.size(), 200U);
  std::set<std::string> fit;
  for (const auto row : split.fit) fit.insert(patients[row]);
  for (const auto row : split.held_out) EXPECT_FALSE(fit.contains(patients[row])) << patients[row];
  LabelSets few;
  for (int i = 0; i < 9; ++i) few.add_row(labels.row(0));
  EXPECT_ERROR(detail::split_by_patient(few, {}), invalid_argument, "at least 10 labelled rows");
  EXPECT_ERROR(detail::split_by_patient(labels, std::vector<std::string>(1000, "one")), invalid_argument,
               "two patients");
}

TEST(ClassGate, PosteriorsOfSeveralLabelsAreToldWhereRowsHappenToHaveOne) {
  LabelSets labels;
  Matrix posteriors(20, 3);
  for (ClassId row = 0; row < 20; ++row) {
    const ClassId own[] = {row % 2};
    labels.add_row(own);
    for (ClassId c = 0; c < 3; ++c) posteriors(row, c) = c == row % 2 ? 0.9F : 0.6F;
  }
  EXPECT_ERROR(ClassGate::calibrate(posteriors, labels), invalid_argument, "sum to 1");
  const auto gate = ClassGate::calibrate(posteriors, labels, {.several_labels = true, .untrained = {2}});
  EXPECT_TRUE(gate.several_labels());
  EXPECT_TRUE(gate.is_trained(0));
  EXPECT_FALSE(gate.is_trained(2));
  const std::vector<float> posterior = {0.95F, 0.01F, 0.0F};
  EXPECT_EQ(gate.select(posterior, {GateMode::adaptive, 0.9}), (std::vector<ClassId>{0, 2}))
      << "nothing is known against a class that was not seen";
  EXPECT_ERROR(ClassGate::calibrate(posteriors, labels, {.several_labels = true, .untrained = {3}}),
               invalid_argument, "below 3, got 3");
}

TEST(ClassGate, TinyLevelsStayWithinTheCalibration) {
  LabelSets labels;
  Matrix posteriors(20, 3);
  for (ClassId row = 0; row < 20; ++row) {
    const ClassId both[] = {row % 3, (row + 1) % 3};
    labels.add_row({both, row % 2 == 0 ? 2U : 1U});
    for (ClassId c = 0; c < 3; ++c) posteriors(row, c) = c == row % 3 ? 0.9F : 0.3F;
  }
  const auto gate = ClassGate::calibrate(posteriors, labels);
  const std::vector<float> posterior = {0.95F, 0.5F, 0.1F};
  for (const double level : {1e-3, 1e-9, 1e-12, 1e-300}) {
    EXPECT_EQ(gate.select(posterior, {GateMode::adaptive, level}), std::vector<ClassId>{0}) << level;
  }
}

TEST(CalibrationSplit, SparesLargePatientsAndKeepsEveryClass) {
  const auto labels = one_label_each(40, 2);
  for (int name = 0; name < 20; ++name) {  // whatever the hash of the names says
    std::vector<std::string> patients(40, "large" + std::to_string(name));
    for (std::size_t row = 0; row < 4; ++row) patients[row] = "small" + std::to_string(name);
    const auto split = detail::split_by_patient(labels, patients);
    EXPECT_EQ(split.held_out, (std::vector<std::size_t>{0, 1, 2, 3}));
    EXPECT_EQ(split.fit.size(), 36U);
  }
  std::vector<std::string> halves(40, "a");
  for (std::size_t row = 0; row < 19; ++row) halves[row] = "b";
  EXPECT_EQ(detail::split_by_patient(labels, halves).held_out.size(), 19U);

  LabelSets rare;  // the last row of class 1 must stay
  for (ClassId row = 0; row < 40; ++row) {
    const ClassId label = row == 7 ? 1 : 0;
    rare.add_row({&label, 1});
  }
  const auto kept = detail::split_by_patient(rare, {});
  EXPECT_EQ(kept.held_out.size(), 8U);
  EXPECT_EQ(std::count(kept.fit.begin(), kept.fit.end(), 7U), 1);

  LabelSets apart;
  std::vector<std::string> own(40);
  for (ClassId row = 0; row < 40; ++row) {
    const ClassId label = row % 2;
    apart.add_row({&label, 1});
    own[row] = label == 0 ? "a" : "b";
  }
  EXPECT_ERROR(detail::split_by_patient(apart, own), invalid_argument, "other patients have too");
}

TEST(ClassGate, PredictsAndCoversAtItsLevel) {
  const Matrix features = clustered(3000, 12, 6, 2.2, 2);
  const auto labels = one_label_each(3000, 6);
  const auto gate = ClassGate::train(features, labels, 6, patients_of(3000, 3));
  EXPECT_FALSE(gate.several_labels());
  Matrix fresh = gaussian(3000, 12, 77);  // the same centres, other noise
  const Matrix centres = gaussian(6, 12, 1000);
  for (std::size_t r = 0; r < 3000; ++r) {
    for (std::size_t d = 0; d < 12; ++d) fresh(r, d) = 2.2F * fresh(r, d) + centres(r % 6, d);
  }
  const Matrix posteriors = gate.posteriors(fresh);
  double top1_size = 0;
  double top1_right = 0;
  for (const double level : {0.5, 0.8, 0.95}) {
    double covered = 0;
    double size = 0;
    for (std::size_t r = 0; r < 3000; ++r) {
      const auto classes = gate.select(posteriors.row(r), {GateMode::adaptive, level});
      covered += std::find(classes.begin(), classes.end(), r % 6) != classes.end();
      size += static_cast<double>(classes.size());
    }
    EXPECT_GT(covered / 3000, level - 0.03) << level;
    EXPECT_LT(size / 3000, 5.5) << level;
  }
  for (std::size_t r = 0; r < 3000; ++r) {
    const auto classes = gate.select(posteriors.row(r), {GateMode::top1});
    top1_size += static_cast<double>(classes.size());
    top1_right += classes[0] == r % 6;
  }
  EXPECT_EQ(top1_size, 3000);
  EXPECT_GT(top1_right / 3000, 0.5);
  EXPECT_LT(top1_right / 3000, 0.95) << "an easy problem would not test coverage";
}

TEST(ClassGate, CoversATrueLabelWhenThereAreSeveral) {
  const Matrix features = clustered(4000, 10, 5, 1.5, 3);
  LabelSets labels;
  for (std::size_t r = 0; r < 4000; ++r) {
    const ClassId both[] = {static_cast<ClassId>(r % 5), static_cast<ClassId>((r / 5) % 5)};
    labels.add_row({both, 2});
  }
  const MatrixView train = features.view().rows_from(0, 2000);
  LabelSets train_labels;
  for (std::size_t r = 0; r < 2000; ++r) train_labels.add_row(labels.row(r));
  const auto gate = ClassGate::train(train, train_labels, 5, {});
  EXPECT_TRUE(gate.several_labels());
  const Matrix posteriors = gate.posteriors(features.view().rows_from(2000, 2000));
  for (const double level : {0.6, 0.9}) {
    double covered = 0;
    double pairs = 0;
    for (std::size_t r = 0; r < 2000; ++r) {
      const auto classes = gate.select(posteriors.row(r), {GateMode::adaptive, level});
      for (const auto label : labels.row(2000 + r)) {
        covered += std::find(classes.begin(), classes.end(), label) != classes.end();
        ++pairs;
      }
    }
    EXPECT_GT(covered / pairs, level - 0.04) << level;
    EXPECT_LT(covered / pairs, 1.0) << "a gate that admits everything would cover too";
  }
}

TEST(ClassGate, ClassesWithoutTrainingRowsAreAlwaysSearched) {
  const Matrix features = clustered(200, 8, 2, 0.2, 4);
  const auto gate = ClassGate::train(features, one_label_each(200, 2), 4, {});
  EXPECT_FALSE(gate.is_trained(3));
  const Matrix posteriors = gate.posteriors(features);
  const auto classes = gate.select(posteriors.row(0), {GateMode::adaptive, 0.9});
  EXPECT_EQ(classes, (std::vector<ClassId>{0, 2, 3}));
  EXPECT_EQ(gate.select(posteriors.row(0), {GateMode::top1}), (std::vector<ClassId>{0}));
  EXPECT_TRUE(gate.select(posteriors.row(0), {}).empty());
}

TEST(ClassGate, SelectsTheSmallestSetThatReachesTheLevel) {
  // Perfectly calibrated posteriors keep temperature 1: 80 % of the rows that say 0.8 are right.
  Matrix posteriors(1000, 3);
  LabelSets labels;
  for (std::size_t r = 0; r < 1000; ++r) {
    posteriors(r, 0) = 0.8F;
    posteriors(r, 1) = 0.15F;
    posteriors(r, 2) = 0.05F;
    const ClassId label = r % 20 < 16 ? 0 : r % 20 < 19 ? 1 : 2;
    labels.add_row({&label, 1});
  }
  const auto gate = ClassGate::calibrate(posteriors, labels);
  EXPECT_FALSE(gate.has_classifier());
  const std::vector<float> p = {0.15F, 0.8F, 0.05F};
  EXPECT_EQ(gate.select(p, {GateMode::adaptive, 0.79}), (std::vector<ClassId>{1}));
  EXPECT_EQ(gate.select(p, {GateMode::adaptive, 0.81}), (std::vector<ClassId>{1, 0}));
  EXPECT_EQ(gate.select(p, {GateMode::adaptive, 0.97}), (std::vector<ClassId>{1, 0, 2}));
  EXPECT_ERROR(gate.posteriors(posteriors), unsupported, "no classifier");
  EXPECT_ERROR(gate.select(std::vector<float>{0.5F}, {GateMode::top1}), invalid_argument,
               "3 posteriors, got 1");
  EXPECT_ERROR(gate.select(std::vector<float>{0.5F, 0.5F, 1.5F}, {GateMode::top1}), invalid_argument,
               "got 1.5");
  EXPECT_ERROR(gate.select(p, {GateMode::adaptive, 1.0}), invalid_argument, "below 1, got 1");
}

TEST(ClassGate, SurvivesItsByteFormAndRefusesCuts) {
  const Matrix features = clustered(200, 8, 3, 0.5, 5);
  for (const bool several : {false, true}) {
    LabelSets labels;
    for (std::size_t r = 0; r < 200; ++r) {
      const ClassId both[] = {static_cast<ClassId>(r % 3), static_cast<ClassId>((r + 1) % 3)};
      labels.add_row({both, several ? 2U : 1U});
    }
    const auto gate = ClassGate::train(features, labels, 3, {});
    ByteWriter writer;
    gate.write(writer);
    ByteReader reader(writer.buffer(), "gate");
    const auto back = ClassGate::read(reader);
    const Matrix a = gate.posteriors(features);
    const Matrix b = back.posteriors(features);
    EXPECT_TRUE(std::equal(a.data(), a.data() + 600, b.data()));
    EXPECT_EQ(gate.select(a.row(1), {GateMode::adaptive, 0.7}),
              back.select(a.row(1), {GateMode::adaptive, 0.7}));
    for (std::size_t cut = 0; cut < writer.buffer().size(); cut += 3) {
      ByteReader short_reader({writer.buffer().data(), cut}, "gate");
      EXPECT_THROW(ClassGate::read(short_reader), Error) << cut;
    }
  }
}

TEST(ClassGate, TrainingRepeatsAtAnyThreadCount) {
  const Matrix features = clustered(500, 20, 4, 1.0, 6);
  const auto train = [&](int threads) {
    ByteWriter writer;
    ClassGate::train(features, one_label_each(500, 4), 4, {}, {.threads = threads}).write(writer);
    return writer.take();
  };
  EXPECT_EQ(train(1), train(2));
  EXPECT_EQ(train(1), train(8));
}

TEST(ClassGate, RefusesBadInput) {
  const Matrix features = gaussian(20, 4, 7);
  EXPECT_ERROR(ClassGate::train(features, one_label_each(19, 2), 2, {}), invalid_argument, "20 rows, got 19");
  EXPECT_ERROR(ClassGate::train(features, one_label_each(20, 1), 2, {}), invalid_argument,
               "at least two classes");
  EXPECT_ERROR(ClassGate::train(features, one_label_each(20, 2), 2, {}, {.regularization = 0}),
               invalid_argument, "above 0, got 0");
  EXPECT_ERROR(ClassGate::calibrate(features, one_label_each(20, 2)), invalid_argument, "expected 0 to 1");
}

}  // namespace
}  // namespace medretrieval
