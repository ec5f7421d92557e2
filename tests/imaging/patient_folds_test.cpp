#include "imaging/patient_folds.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "support/expect_error.hpp"

namespace medretrieval::imaging {
namespace {

/// Patients of three rows each, classes by patient: a third of class 1.
struct Rows {
  std::vector<ClassId> classes;
  std::vector<std::string> patients;

  explicit Rows(std::size_t patient_count) {
    for (std::size_t r = 0; r < 3 * patient_count; ++r) {
      const std::size_t patient = r % patient_count;
      classes.push_back(patient % 3 == 0 ? 1 : 0);
      patients.push_back("P" + std::to_string(patient));
    }
  }
};

TEST(PatientFolds, KeepPatientsWholeAndSharesEqual) {
  const Rows rows(30);
  const auto folds = patient_folds(rows.classes, rows.patients, 5, 7);
  std::map<std::string, std::set<std::size_t>> of_patient;
  std::map<std::pair<std::size_t, ClassId>, std::size_t> sizes;
  for (std::size_t r = 0; r < folds.size(); ++r) {
    of_patient[rows.patients[r]].insert(folds[r]);
    ++sizes[{folds[r], rows.classes[r]}];
  }
  for (const auto& [patient, own] : of_patient) EXPECT_EQ(own.size(), 1U) << patient;
  for (std::size_t fold = 0; fold < 5; ++fold) {
    EXPECT_EQ((sizes[{fold, 0}]), 12U) << fold;
    EXPECT_EQ((sizes[{fold, 1}]), 6U) << fold;
  }
}

TEST(PatientFolds, FollowTheSeed) {
  const Rows rows(30);
  EXPECT_EQ(patient_folds(rows.classes, rows.patients, 5, 7),
            patient_folds(rows.classes, rows.patients, 5, 7));
  EXPECT_NE(patient_folds(rows.classes, rows.patients, 5, 7),
            patient_folds(rows.classes, rows.patients, 5, 8));
}

TEST(PatientFolds, AreFewerWherePatientsAreFewer) {
  const Rows rows(3);
  const auto folds = patient_folds(rows.classes, rows.patients, 5, 1);
  EXPECT_EQ(std::set<std::size_t>(folds.begin(), folds.end()), (std::set<std::size_t>{0, 1, 2}));
}

TEST(PatientFolds, LetRowsOfUnknownPatientStandAlone) {
  const std::vector<ClassId> classes = {0, 0, 1, 1};
  const auto apart = patient_folds(classes, {}, 4, 1);
  EXPECT_EQ(std::set<std::size_t>(apart.begin(), apart.end()).size(), 4U);
  const auto named = patient_folds(classes, std::vector<std::string>{"", "", "P", "P"}, 4, 1);
  EXPECT_NE(named[0], named[1]);
  EXPECT_EQ(named[2], named[3]);
}

TEST(PatientFolds, NeedTwoPatients) {
  const std::vector<ClassId> classes = {0, 1};
  EXPECT_ERROR(patient_folds(classes, std::vector<std::string>{"P", "P"}, 5, 1), invalid_argument,
               "at least two patients, got 1");
}

}  // namespace
}  // namespace medretrieval::imaging
