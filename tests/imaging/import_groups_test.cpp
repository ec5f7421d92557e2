#include "imaging/import_groups.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace medretrieval::imaging {
namespace {

DatasetRecord record(const std::string& patient, const std::string& study, const std::string& series,
                     const std::string& key = "k") {
  DatasetRecord one;
  one.patient = patient;
  one.study = study;
  one.series = series;
  one.key = key;
  return one;
}

PatientGroups groups_of(const std::vector<DatasetRecord>& records) {
  PatientGroups groups;
  for (const auto& one : records) groups.add(one);
  return groups;
}

TEST(PatientGroups, APatientReachesAllThatHangsTogether) {
  std::vector<DatasetRecord> records = {record("", "s1", "r1"), record("", "", "r1"),  record("", "s1", "r2"),
                                        record("", "", "r2"),   record("P", "", "r2"), record("", "s2", "")};
  std::sort(records.begin(), records.end(), [](const auto& a, const auto& b) { return a.series < b.series; });
  const std::vector<DatasetRecord> reversed(records.rbegin(), records.rend());
  for (const auto& order : {records, reversed}) {
    const PatientGroups groups = groups_of(order);
    for (const auto& one : order) {
      const Subject subject = groups.of(one);
      EXPECT_EQ(subject.patient, one.study == "s2" ? "" : "P");
      EXPECT_FALSE(subject.of_two_patients);
      const Fingerprint of_patient = groups.of(record("P", "", "")).unit;
      EXPECT_EQ(subject.unit == of_patient, one.study != "s2");
    }
  }
}

TEST(PatientGroups, TheUnitDoesNotDependOnTheOrder) {
  const std::vector<DatasetRecord> records = {record("", "s1", "r1"), record("", "s2", "r1"),
                                              record("", "s3", "r2"), record("", "s2", "r2")};
  std::vector<std::size_t> order = {0, 1, 2, 3};
  const Fingerprint unit = groups_of(records).of(records[0]).unit;
  do {
    PatientGroups groups;
    for (const std::size_t i : order) groups.add(records[i]);
    for (const auto& one : records) EXPECT_EQ(groups.of(one).unit, unit);
  } while (std::next_permutation(order.begin(), order.end()));
  EXPECT_NE(groups_of(records).of(record("", "", "", "a")).unit,
            groups_of(records).of(record("", "", "", "b")).unit);
  EXPECT_NE(groups_of(records).of(record("", "s9", "")).unit, unit);
}

TEST(PatientGroups, TwoPatientsOfOneStudyAreFoundInAnyOrder) {
  const std::vector<DatasetRecord> records = {record("P", "s1", ""), record("", "s1", "r1"),
                                              record("", "s2", "r1"), record("Q", "s2", "")};
  std::vector<std::size_t> order = {0, 1, 2, 3};
  do {
    PatientGroups groups;
    for (const std::size_t i : order) groups.add(records[i]);
    for (const auto& one : records) EXPECT_TRUE(groups.of(one).of_two_patients);
    EXPECT_FALSE(groups.of(record("P", "s3", "")).of_two_patients) << "other studies of the patient are fine";
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(PatientGroups, APatientInTwoPartsIsALeak) {
  PatientGroups groups;
  groups.add(record("P", "s1", ""), 1);
  groups.add(record("", "s1", ""), 0);
  groups.add(record("P", "s2", ""), 1);
  groups.add(record("Q", "", ""), 1);
  EXPECT_EQ(groups.leak().patients, 0U);
  groups.add(record("", "s2", ""), 2);
  EXPECT_EQ(groups.leak().patients, 1U);
  EXPECT_EQ(groups.leak().example, "P");
  groups.add(record("Q", "", ""), 2);
  groups.add(record("", "s4", ""), 1);
  groups.add(record("", "s4", ""), 2);
  EXPECT_EQ(groups.leak().patients, 3U);
}

}  // namespace
}  // namespace medretrieval::imaging
