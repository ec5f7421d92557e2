#include <gtest/gtest.h>

#include <map>
#include <medretrieval/imaging/lidc.hpp>
#include <string>
#include <vector>

#include "support/csv_table.hpp"
#include "support/damage.hpp"
#include "support/expect_error.hpp"
#include "support/lidc_xml.hpp"
#include "support/test_data.hpp"

namespace medretrieval::imaging {
namespace {

using namespace testing;  // NOLINT: the pieces of annotation files

class LidcXml : public ::testing::Test {
 protected:
  LidcAnnotations read(const std::string& text) {
    write_text(file_, text);
    return read_lidc_annotations(file_);
  }
  /// A file with one reading.
  LidcAnnotations read_one(const std::string& inside) { return read(xml_message(xml_reading(inside))); }

  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "069.xml";
};

std::string whole_file() {
  return xml_message(
      xml_reading(
          xml_nodule("Nodule 001", xml_ratings(4) + xml_roi("1.9", "-125.000000 ", xml_square(10, 20, 5)) +
                                       xml_roi("1.10", "-122.5", {{12, 22}, {13, 22}}, "FALSE")) +
          xml_nodule("2", xml_roi("1.9", "-125", {{100, 101}})) + xml_non_nodule("77", "1.10", 7, 8)) +
      xml_reading(""));
}

TEST_F(LidcXml, EverythingThatOneReaderMarked) {
  const LidcAnnotations annotations = read(whole_file());
  EXPECT_FALSE(annotations.of_radiograph);
  EXPECT_EQ(annotations.series_uid, "1.2.3");
  EXPECT_EQ(annotations.study_uid, "1.2");
  ASSERT_EQ(annotations.readings.size(), 2U);
  const LidcReading& reading = annotations.readings[0];
  EXPECT_EQ(reading.reader, "anonymous");
  ASSERT_EQ(reading.nodules.size(), 2U);
  const LidcNodule& nodule = reading.nodules[0];
  EXPECT_EQ(nodule.id, "Nodule 001");
  EXPECT_TRUE(nodule.is_contoured());
  EXPECT_EQ(nodule.characteristics.malignancy, 4);
  EXPECT_EQ(nodule.characteristics.calcification, 6);
  EXPECT_EQ(nodule.characteristics.internal_structure, 1);
  EXPECT_EQ(nodule.characteristics.confidence, 0);
  ASSERT_EQ(nodule.contours.size(), 2U);
  EXPECT_EQ(nodule.contours[0].sop_uid, "1.9");
  EXPECT_EQ(nodule.contours[0].z, -125);
  EXPECT_TRUE(nodule.contours[0].inclusion);
  EXPECT_FALSE(nodule.contours[1].inclusion);
  EXPECT_EQ(nodule.contours[1].points, (std::vector<LidcPoint>{{12, 22}, {13, 22}}));
  EXPECT_EQ(nodule.contours[0].line, 12U);
  EXPECT_FALSE(reading.nodules[1].is_contoured());
  EXPECT_EQ(reading.nodules[1].characteristics.malignancy, 0);
  ASSERT_EQ(reading.non_nodules.size(), 1U);
  EXPECT_EQ(reading.non_nodules[0].id, "77");
  EXPECT_EQ(reading.non_nodules[0].place.points, (std::vector<LidcPoint>{{7, 8}}));
  EXPECT_TRUE(annotations.readings[1].nodules.empty());
}

TEST_F(LidcXml, ReadingsOfARadiograph) {
  const LidcAnnotations annotations = read(
      "<IdriReadMessage><ResponseHeader><CTSeriesInstanceUid>1.5</CTSeriesInstanceUid>"
      "<CXRSeriesInstanceUid>1.6</CXRSeriesInstanceUid></ResponseHeader><CXRreadingSession><unblindedRead>"
      "<noduleID>0</noduleID><characteristics><confidence>3</confidence></characteristics>"
      "<roi><imageSOP_UID>1.7</imageSOP_UID><edgeMap><xCoord>1554</xCoord><yCoord>1730</yCoord></edgeMap></"
      "roi>"
      "</unblindedRead></CXRreadingSession></IdriReadMessage>");
  EXPECT_TRUE(annotations.of_radiograph);
  EXPECT_EQ(annotations.series_uid, "1.5");
  EXPECT_EQ(annotations.radiograph_series_uid, "1.6");
  ASSERT_EQ(annotations.readings.size(), 1U);
  EXPECT_EQ(annotations.readings[0].nodules[0].characteristics.confidence, 3);
  EXPECT_FALSE(annotations.readings[0].nodules[0].contours[0].z.has_value());
  EXPECT_TRUE(group_lidc_nodules(annotations).empty());
}

TEST_F(LidcXml, FormsOfTheSameFile) {
  const std::string text = whole_file();
  std::string crlf;
  for (const char c : text) crlf += c == '\n' ? "\r\n" : std::string(1, c);
  for (const std::string& form : {text, crlf, "\xEF\xBB\xBF" + text, text + "\n\n"}) {
    const LidcAnnotations annotations = read(form);
    EXPECT_EQ(annotations.readings.size(), 2U);
    EXPECT_EQ(annotations.readings[0].nodules[0].contours[0].line, 12U);
    EXPECT_EQ(annotations.readings[0].nodules[0].contours[0].z, -125);
  }
}

TEST_F(LidcXml, WrongValuesAreNamedWithTheirLine) {
  const auto roi = [](const std::string& z, const XmlPoints& points, const std::string& inclusion = "TRUE") {
    return xml_nodule("1", xml_roi("1.9", z, points, inclusion));
  };
  EXPECT_ERROR(read_one(roi("12mm", {{1, 1}})), corrupt, "069.xml: line 12: <imageZposition> is \"12mm\"");
  EXPECT_ERROR(read_one(roi("nan", {{1, 1}})), corrupt, "expected a finite number");
  EXPECT_ERROR(read_one(roi("1e999", {{1, 1}})), corrupt, "expected a finite number");
  EXPECT_ERROR(read_one(roi("1", {{1, -1}})), corrupt,
               "<yCoord> is \"-1\", expected a whole number from 0 to 32767");
  EXPECT_ERROR(read_one(roi("1", {{32768, 1}})), corrupt, "<xCoord> is \"32768\"");
  EXPECT_ERROR(read_one(roi("1", {})), corrupt, "<roi> without <edgeMap>");
  EXPECT_ERROR(read_one(roi("1", {{1, 1}}, "MAYBE")), corrupt, "expected TRUE or FALSE");
  EXPECT_ERROR(read_one(xml_nodule("", xml_roi("1", "1", {{1, 1}}))), corrupt, "without text in <noduleID>");
  EXPECT_ERROR(read_one(xml_nodule("1", xml_ratings(3))), corrupt, "<unblindedReadNodule> without <roi>");
  EXPECT_ERROR(read_one(xml_nodule("1", xml_ratings(6) + xml_roi("1", "1", {{1, 1}}))), corrupt,
               "<malignancy> is \"6\", expected a whole number from 0 to 5");
  EXPECT_ERROR(read_one(xml_nodule("1", "<roi>" + xml_points({{1, 1}}) + "</roi>")), corrupt,
               "names no slice");
  EXPECT_ERROR(read("<LidcReadMessage/>"), corrupt, "line 1: <LidcReadMessage> without <ResponseHeader>");
  EXPECT_ERROR(read("<html/>"), unsupported, "the root is <html>");
}

TEST_F(LidcXml, HostileFilesAreRefused) {
  EXPECT_ERROR(read(""), corrupt, "not a whole XML document");
  EXPECT_ERROR(read("\x89PNG\r\n"), corrupt, "not UTF-8");
  const std::string bomb =
      "<!DOCTYPE m [<!ENTITY a \"aaaaaaaa\"><!ENTITY b "
      "\"&a;&a;&a;&a;\">]><LidcReadMessage>&b;</LidcReadMessage>";
  EXPECT_ERROR(read(bomb), corrupt, "a document type declaration, expected none");
  EXPECT_ERROR(read("<!DOCTYPE m SYSTEM \"file:///etc/passwd\"><LidcReadMessage/>"), corrupt,
               "document type");
  std::string readings;
  for (int i = 0; i < 65; ++i) readings += xml_reading("");
  EXPECT_ERROR(read(xml_message(readings)), limit_exceeded, "more than 64 readings");
  EXPECT_ERROR(read(std::string(kMaxLidcBytes + 1, ' ')), limit_exceeded, "at most 16777216");
  std::filesystem::remove(file_);
  EXPECT_ERROR(read_lidc_annotations(file_), not_found, "no such file");
  std::filesystem::create_directory(file_);
  EXPECT_ERROR(read_lidc_annotations(file_), io, "not a regular file");
}

TEST_F(LidcXml, DeepNestingIsRefusedWhateverItsSize) {
  std::string closed;
  for (int i = 0; i < 100; ++i) closed = "<a>" + closed + "</a>";
  EXPECT_ERROR(read_one(closed), limit_exceeded, "nested deeper than 16");
  std::string open;  // as many elements as a file may have bytes for
  open.reserve(kMaxLidcBytes);
  while (open.size() + 3 < kMaxLidcBytes / 2) open += "<a>";
  EXPECT_ERROR(read(open), corrupt, "not a whole XML document");
}

TEST_F(LidcXml, CutFilesAreRefused) {
  const std::string text = whole_file();
  const ByteVector whole(text.begin(), text.end());
  expect_every_cut_is_refused(
      file_, whole, [](const auto& file) { read_lidc_annotations(file); }, 5);
}

TEST_F(LidcXml, FlippedBitsDoNoHarm) {
  const std::string text = whole_file();
  const ByteVector whole(text.begin(), text.end());
  expect_flipped_bits_do_no_harm(file_, whole, 500,
                                 [](const auto& file) { group_lidc_nodules(read_lidc_annotations(file)); });
}

/// The columns of the oracle, counted from a file.
CsvRow counted(const LidcAnnotations& annotations) {
  std::map<std::string, std::size_t> counts;
  std::string malignancies;
  for (const LidcReading& reading : annotations.readings) {
    counts["non_nodules"] += reading.non_nodules.size();
    for (const LidcNodule& nodule : reading.nodules) {
      counts[nodule.is_contoured() ? "nodules_with_contour" : "nodules_single_point"] += 1;
      counts["rois"] += nodule.contours.size();
      for (const LidcContour& contour : nodule.contours) {
        counts["edge_points"] += contour.points.size();
        counts["rois_inclusion_false"] += contour.inclusion ? 0 : 1;
      }
      if (!nodule.is_contoured()) continue;
      const int malignancy = nodule.characteristics.malignancy;
      if (malignancy == 0) counts["contour_nodules_without_malignancy"] += 1;
      malignancies += (malignancies.empty() ? "" : "|") + std::to_string(malignancy);
    }
  }
  CsvRow row = {{"root", annotations.of_radiograph ? "IdriReadMessage" : "LidcReadMessage"},
                {"series_uid", annotations.series_uid},
                {"reading_sessions", std::to_string(annotations.readings.size())},
                {"malignancy_in_order", malignancies}};
  for (const char* name : {"nodules_with_contour", "nodules_single_point", "non_nodules", "rois",
                           "edge_points", "rois_inclusion_false", "contour_nodules_without_malignancy"}) {
    row[name] = std::to_string(counts[name]);
  }
  return row;
}

TEST(LidcOracle, CountsOfAllPublishedFiles) {
  REQUIRE_DATA("ct_lidc/xml_expected.csv");
  const auto folder = data_folder() / "ct_lidc";
  std::map<std::string, std::size_t> totals;
  const std::vector<CsvRow> rows = read_csv_table(folder / "xml_expected.csv");
  for (const CsvRow& expected : rows) {
    const CsvRow found = counted(read_lidc_annotations(folder / expected.at("path")));
    for (const auto& [name, value] : found) {
      EXPECT_EQ(value, expected.at(name)) << expected.at("path") << ": " << name;
      if (name != "root" && name != "series_uid" && name != "malignancy_in_order")
        totals[name] += std::stoul(value);
    }
  }
  EXPECT_EQ(rows.size(), 64U);
  EXPECT_EQ(totals.at("reading_sessions"), 247U);
  EXPECT_EQ(totals.at("nodules_with_contour"), 266U);
  EXPECT_EQ(totals.at("nodules_single_point"), 672U);
  EXPECT_EQ(totals.at("non_nodules"), 1186U);
  EXPECT_EQ(totals.at("rois"), 1964U);
  EXPECT_EQ(totals.at("edge_points"), 37256U);
  EXPECT_EQ(totals.at("rois_inclusion_false"), 8U);
}

// The two files that lie beside their slices are not in the table; rois32.csv lists their outlines.
TEST(LidcOracle, OutlinesOfTheFilesBesideTheirSlices) {
  REQUIRE_DATA("ct_lidc/rois32.csv");
  const auto folder = data_folder() / "ct_lidc";
  const std::map<std::string, std::string> files = {{"LIDC-IDRI-0001", "annotations/069.xml"},
                                                    {"LIDC-IDRI-0002", "annotations/071.xml"}};
  std::map<std::string, std::vector<std::string>> expected;
  for (const CsvRow& row : read_csv_table(folder / "rois32.csv")) {
    expected[row.at("patient_id")].push_back(row.at("session") + " " + row.at("nodule_id") + " " +
                                             row.at("sop_uid") + " " + row.at("inclusion") + " " +
                                             row.at("n_edge") + " " + row.at("malignancy") +
                                             row.at("subtlety") + row.at("spiculation") + row.at("texture"));
  }
  for (const auto& [patient, name] : files) {
    const LidcAnnotations annotations = read_lidc_annotations(folder / patient / name);
    std::vector<std::string> found;
    for (std::size_t r = 0; r < annotations.readings.size(); ++r) {
      for (const LidcNodule& nodule : annotations.readings[r].nodules) {
        if (!nodule.is_contoured()) continue;
        const LidcCharacteristics& rated = nodule.characteristics;
        for (const LidcContour& contour : nodule.contours) {
          found.push_back(std::to_string(r) + " " + nodule.id + " " + contour.sop_uid + " " +
                          (contour.inclusion ? "TRUE " : "FALSE ") + std::to_string(contour.points.size()) +
                          " " + std::to_string(rated.malignancy) + std::to_string(rated.subtlety) +
                          std::to_string(rated.spiculation) + std::to_string(rated.texture));
        }
      }
    }
    EXPECT_EQ(found, expected[patient]) << patient;
  }
}

}  // namespace
}  // namespace medretrieval::imaging
