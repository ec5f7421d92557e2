#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <medretrieval/imaging/lidc.hpp>
#include <set>
#include <string>
#include <vector>

#include "support/csv_table.hpp"
#include "support/expect_error.hpp"
#include "support/test_data.hpp"

namespace medretrieval::imaging {
namespace {

LidcContour square(const std::string& sop_uid, int x, int y, int side, bool inclusion = true) {
  return {sop_uid, {}, inclusion, {{x, y}, {x + side, y}, {x + side, y + side}, {x, y + side}, {x, y}}, 1};
}

LidcNodule nodule(int malignancy, std::vector<LidcContour> contours) {
  LidcNodule made;
  made.characteristics.malignancy = malignancy;
  made.contours = std::move(contours);
  return made;
}

LidcAnnotations readings(const std::vector<std::vector<LidcNodule>>& nodules) {
  LidcAnnotations annotations;
  for (const auto& of_reader : nodules) annotations.readings.push_back({"", of_reader, {}});
  return annotations;
}

std::vector<std::vector<LidcMark>> marks_of(const std::vector<LidcNoduleGroup>& groups) {
  std::vector<std::vector<LidcMark>> marks;
  for (const LidcNoduleGroup& group : groups) marks.push_back(group.marks);
  return marks;
}

using Marks = std::vector<std::vector<LidcMark>>;

TEST(LidcGrouping, OverlappingMarksOfSeveralReadersAreOneNodule) {
  const auto groups = group_lidc_nodules(
      readings({{nodule(2, {square("a", 10, 10, 10)}), nodule(5, {square("a", 100, 100, 8)})},
                {nodule(3, {square("a", 12, 12, 10), square("b", 12, 12, 6)})},
                {nodule(4, {square("b", 13, 13, 6)})}}));
  // The third reader's mark shares no slice with the first reader's, but both share one with the second's.
  EXPECT_EQ(marks_of(groups), (Marks{{{0, 0}, {1, 0}, {2, 0}}, {{0, 1}}}));
  EXPECT_EQ(groups[0].readers, 3U);
  EXPECT_EQ(groups[0].malignancy, 3);
  EXPECT_EQ(groups[1].malignancy, 5);
}

TEST(LidcGrouping, OtherSlicesAndTouchingOutlinesAreOtherNodules) {
  EXPECT_EQ(group_lidc_nodules(
                readings({{nodule(2, {square("a", 10, 10, 10)})}, {nodule(2, {square("b", 10, 10, 10)})}}))
                .size(),
            2U);
  const auto touching =
      readings({{nodule(2, {square("a", 10, 10, 10)})}, {nodule(2, {square("a", 20, 10, 10)})}});
  EXPECT_EQ(group_lidc_nodules(touching).size(), 2U);
  EXPECT_EQ(group_lidc_nodules(touching, {.min_overlap = 0}).size(), 1U);
}

TEST(LidcGrouping, TheLeastOverlapIsAShareOfTheSmallerVolume) {
  // 36 of the 36 pixels of the smaller, of the 441 of the larger.
  const auto inside = readings({{nodule(2, {square("a", 0, 0, 20)})}, {nodule(2, {square("a", 5, 5, 5)})}});
  EXPECT_EQ(group_lidc_nodules(inside, {.min_overlap = 0.99}).size(), 1U);
  // 6 of 11 columns of equal squares.
  const auto half = readings({{nodule(2, {square("a", 0, 0, 10)})}, {nodule(2, {square("a", 5, 0, 10)})}});
  EXPECT_EQ(group_lidc_nodules(half, {.min_overlap = 0.54}).size(), 1U);
  EXPECT_EQ(group_lidc_nodules(half, {.min_overlap = 0.55}).size(), 2U);
  EXPECT_ERROR(group_lidc_nodules(half, {.min_overlap = 1}), invalid_argument, "min_overlap is 1");
  EXPECT_ERROR(group_lidc_nodules(half, {.min_overlap = std::stod("nan")}), invalid_argument, "min_overlap");
}

TEST(LidcGrouping, WhatAnExclusionEnclosesIsNoPartOfTheNodule) {
  const auto with_hole = readings({{nodule(2, {square("a", 0, 0, 20), square("a", 3, 3, 14, false)})},
                                   {nodule(2, {square("a", 6, 6, 6)})}});
  EXPECT_EQ(group_lidc_nodules(with_hole).size(), 2U);
  const auto hole_first = readings({{nodule(2, {square("a", 3, 3, 14, false), square("a", 0, 0, 20)})},
                                    {nodule(2, {square("a", 6, 6, 6)})}});
  EXPECT_EQ(group_lidc_nodules(hole_first).size(), 2U);
}

TEST(LidcGrouping, SlicesMeetByPositionWithoutUids) {
  LidcContour first = square("", 10, 10, 10);
  LidcContour second = square("x", 10, 10, 10);
  first.z = -125.004;
  second.z = -125;
  EXPECT_EQ(group_lidc_nodules(readings({{nodule(2, {first})}, {nodule(2, {second})}})).size(), 1U);
  first.z = -126.25;
  EXPECT_EQ(group_lidc_nodules(readings({{nodule(2, {first})}, {nodule(2, {second})}})).size(), 2U);
}

TEST(LidcGrouping, TwoUidsAtOnePlaceAreTwoSlices) {
  LidcContour first = square("1.1", 10, 10, 10);
  LidcContour second = square("1.2", 10, 10, 10);
  first.z = second.z = -125;
  EXPECT_EQ(group_lidc_nodules(readings({{nodule(2, {first})}, {nodule(2, {second})}})).size(), 2U);
  second.sop_uid = "1.1";
  EXPECT_EQ(group_lidc_nodules(readings({{nodule(2, {first})}, {nodule(2, {second})}})).size(), 1U);
}

TEST(LidcGrouping, EachReaderHasOneVoteInEveryRating) {
  LidcAnnotations annotations =
      readings({{nodule(1, {square("a", 10, 10, 6)}), nodule(4, {square("a", 18, 10, 6)})},
                {nodule(3, {square("a", 10, 10, 14)})}});
  annotations.readings[0].nodules[0].characteristics.subtlety = 1;
  annotations.readings[0].nodules[1].characteristics.subtlety = 1;
  annotations.readings[1].nodules[0].characteristics.subtlety = 5;
  const auto groups = group_lidc_nodules(annotations);
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_EQ(median_lidc_rating(annotations, groups[0].marks, &LidcCharacteristics::subtlety), 3);
  EXPECT_EQ(median_lidc_rating(annotations, groups[0].marks, &LidcCharacteristics::texture), std::nullopt);
}

TEST(LidcGrouping, EachReaderHasOneVote) {
  const auto groups =
      group_lidc_nodules(readings({{nodule(1, {square("a", 10, 10, 6)}), nodule(4, {square("a", 18, 10, 6)})},
                                   {nodule(3, {square("a", 10, 10, 14)})},
                                   {nodule(0, {square("a", 10, 10, 14)})},
                                   {nodule(2, {square("a", 10, 10, 14)})}}));
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_EQ(groups[0].marks.size(), 5U);
  EXPECT_EQ(groups[0].readers, 4U);
  EXPECT_EQ(groups[0].malignancy, 3);  // of 4, 3 and 2
}

TEST(LidcGrouping, MediansDivideIntoClasses) {
  const auto rated = [](std::vector<int> ratings) {
    std::vector<std::vector<LidcNodule>> nodules;
    for (const int rating : ratings) nodules.push_back({nodule(rating, {square("a", 10, 10, 10)})});
    return malignancy_class(group_lidc_nodules(readings(nodules)).at(0).malignancy);
  };
  EXPECT_EQ(rated({2, 3}), LidcMalignancy::benign);
  EXPECT_EQ(rated({3, 4}), LidcMalignancy::malignant);
  EXPECT_EQ(rated({2, 4}), LidcMalignancy::undecided);
  EXPECT_EQ(rated({1, 3, 3, 5}), LidcMalignancy::undecided);
  EXPECT_EQ(rated({5}), LidcMalignancy::malignant);
  EXPECT_EQ(rated({0, 0}), LidcMalignancy::unrated);
}

TEST(LidcGrouping, PointsAreNotGrouped) {
  LidcContour point = square("a", 10, 10, 10);
  point.points.resize(1);
  EXPECT_TRUE(group_lidc_nodules(readings({{nodule(0, {point})}, {nodule(0, {point})}})).empty());
  EXPECT_TRUE(group_lidc_nodules({}).empty());
}

TEST(LidcGrouping, TooMuchToCompareIsRefused) {
  const std::vector<LidcNodule> many(kMaxLidcMarks + 1, nodule(1, {square("a", 1, 1, 2)}));
  EXPECT_ERROR(group_lidc_nodules(readings({many})), limit_exceeded,
               "contoured nodules: 1001, expected at most 1000");
  const std::vector<LidcContour> outlines(kMaxLidcOutlines + 1, square("a", 1, 1, 2));
  EXPECT_ERROR(group_lidc_nodules(readings({{nodule(1, outlines)}})), limit_exceeded, "outlines: 20001");
  EXPECT_ERROR(group_lidc_nodules(readings({{nodule(1, {square("a", 0, 0, 32766)})}})), limit_exceeded,
               "pixels");
}

TEST(LidcSlices, UidFirstThenPosition) {
  const std::vector<LidcSlice> slices = {{"1.1", -10.0}, {"1.2", -12.5}, {"1.3", {}}, {"", -15.0}};
  LidcContour contour;
  contour.sop_uid = "1.2";
  contour.z = -10;
  EXPECT_EQ(find_lidc_slice(contour, slices), 1U);
  contour.sop_uid = "1.9";
  EXPECT_EQ(find_lidc_slice(contour, slices), 0U);
  contour.z = -14.95;
  EXPECT_EQ(find_lidc_slice(contour, slices), 3U);
  contour.z = -14;
  EXPECT_EQ(find_lidc_slice(contour, slices), std::nullopt);
  EXPECT_EQ(find_lidc_slice(contour, slices, 1.5), 3U);
  contour.sop_uid = "";
  contour.z = {};
  EXPECT_EQ(find_lidc_slice(contour, slices), std::nullopt);
}

TEST(LidcSlices, OutlinesMustStayInTheirSlice) {
  LidcContour contour = square("a", 0, 0, 511);
  contour.line = 77;
  EXPECT_NO_THROW(require_inside(contour, 512, 512));
  EXPECT_ERROR(require_inside(contour, 512, 511), corrupt, "line 77: the point (511, 511)");
  EXPECT_ERROR(require_inside(contour, 511, 512), corrupt, "outside of its slice of 511 x 512 pixels");
  contour.points = {{-1, 0}};
  EXPECT_ERROR(require_inside(contour, 512, 512), corrupt, "(-1, 0)");
}

/// The readers' ids of each nodule of a patient, in a fixed order.
using NodulesById = std::multiset<std::multiset<std::string>>;

std::map<int, NodulesById> published_nodules(const std::filesystem::path& table) {
  std::ifstream stream(table);
  std::string line;
  std::getline(stream, line);
  std::map<int, NodulesById> nodules;
  while (std::getline(stream, line)) {
    const std::vector<std::string> fields = testing::split_csv_line(line);
    std::multiset<std::string> ids(fields.begin() + 10, fields.end());
    ids.erase("");
    nodules[std::stoi(fields[1])].insert(ids);
  }
  return nodules;
}

NodulesById grouped_nodules(const LidcAnnotations& annotations) {
  NodulesById nodules;
  for (const LidcNoduleGroup& group : group_lidc_nodules(annotations)) {
    std::multiset<std::string> ids;
    for (const LidcMark mark : group.marks) {
      ids.insert(annotations.readings[mark.reading].nodules[mark.nodule].id);
    }
    nodules.insert(ids);
  }
  return nodules;
}

// Patient 797: the table names a reader's nodule 738, the file 0738.
TEST(LidcOracle, GroupsEqualThePublishedList) {
  REQUIRE_DATA("ct_lidc/xml_expected.csv");
  REQUIRE_DATA("tables/lidc/list3.2.csv");
  const auto folder = testing::data_folder() / "ct_lidc";
  std::map<int, NodulesById> published =
      published_nodules(testing::data_folder() / "tables/lidc/list3.2.csv");
  std::vector<std::pair<int, std::string>> files = {{1, "LIDC-IDRI-0001/annotations/069.xml"},
                                                    {2, "LIDC-IDRI-0002/annotations/071.xml"}};
  for (const testing::CsvRow& row : testing::read_csv_table(folder / "xml_expected.csv")) {
    const std::string& patient = row.at("patient_id");
    files.emplace_back(std::stoi(patient.substr(patient.size() - 4)), row.at("path"));
  }
  std::size_t ct_files = 0;
  std::size_t groups = 0;
  std::vector<int> different;
  for (const auto& [patient, path] : files) {
    const LidcAnnotations annotations = read_lidc_annotations(folder / path);
    if (annotations.of_radiograph) continue;
    ++ct_files;
    const NodulesById found = grouped_nodules(annotations);
    groups += found.size();
    if (found != published[patient]) different.push_back(patient);
  }
  EXPECT_EQ(files.size(), 66U);
  EXPECT_EQ(ct_files, 55U);
  EXPECT_EQ(groups, 104U);
  EXPECT_EQ(different, std::vector<int>{797});
  NodulesById patient_797 = grouped_nodules(read_lidc_annotations(folder / "xml/189_008.xml"));
  EXPECT_EQ(patient_797, (NodulesById{{"0738", "IL057_72247", "Nodule 001"}}));
  EXPECT_EQ(published[797], (NodulesById{{"738", "IL057_72247", "Nodule 001"}}));
}

TEST(LidcOracle, ClassesOfThePublishedNodules) {
  REQUIRE_DATA("ct_lidc/xml_expected.csv");
  const auto folder = testing::data_folder() / "ct_lidc";
  std::map<LidcMalignancy, int> classes;
  for (const testing::CsvRow& row : testing::read_csv_table(folder / "xml_expected.csv")) {
    for (const auto& group : group_lidc_nodules(read_lidc_annotations(folder / row.at("path")))) {
      ++classes[malignancy_class(group.malignancy)];
    }
  }
  EXPECT_EQ(classes, (std::map<LidcMalignancy, int>{{LidcMalignancy::benign, 40},
                                                    {LidcMalignancy::undecided, 46},
                                                    {LidcMalignancy::malignant, 16}}));
}

}  // namespace
}  // namespace medretrieval::imaging
