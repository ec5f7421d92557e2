// Annotation files in the form of LIDC-IDRI, put together for tests.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "support/make_images.hpp"

namespace medretrieval::testing {

using XmlPoints = std::vector<std::pair<int, int>>;

inline std::string xml_points(const XmlPoints& points, const std::string& element = "edgeMap") {
  std::string text;
  for (const auto& [x, y] : points) {
    text += "<" + element + "><xCoord>" + std::to_string(x) + "</xCoord><yCoord>" + std::to_string(y) +
            "</yCoord></" + element + ">\n";
  }
  return text;
}

inline std::string xml_roi(const std::string& sop_uid, const std::string& z, const XmlPoints& points,
                           const std::string& inclusion = "TRUE") {
  return "<roi>\n<imageZposition>" + z + "</imageZposition>\n<imageSOP_UID>" + sop_uid +
         "</imageSOP_UID>\n<inclusion>" + inclusion + "</inclusion>\n" + xml_points(points) + "</roi>\n";
}

/// The corners of a square outline, its first point repeated at the end as the published files do.
inline XmlPoints xml_square(int x, int y, int side) {
  return {{x, y}, {x + side, y}, {x + side, y + side}, {x, y + side}, {x, y}};
}

inline std::string xml_ratings(int malignancy) {
  return "<characteristics><subtlety>4</subtlety><internalStructure>1</internalStructure>"
         "<calcification>6</calcification><sphericity>3</sphericity><margin>2</margin><lobulation>1</"
         "lobulation>"
         "<spiculation>2</spiculation><texture>5</texture><malignancy>" +
         std::to_string(malignancy) + "</malignancy></characteristics>\n";
}

/// `inside`: ratings, if any, and regions.
inline std::string xml_nodule(const std::string& id, const std::string& inside) {
  return "<unblindedReadNodule>\n<noduleID>" + id + "</noduleID>\n" + inside + "</unblindedReadNodule>\n";
}

inline std::string xml_non_nodule(const std::string& id, const std::string& sop_uid, int x, int y) {
  return "<nonNodule>\n<nonNoduleID>" + id +
         "</nonNoduleID>\n<imageZposition>1.5</imageZposition>\n<imageSOP_UID>" + sop_uid +
         "</imageSOP_UID>\n" + xml_points({{x, y}}, "locus") + "</nonNodule>\n";
}

inline std::string xml_reading(const std::string& inside) {
  return "<readingSession>\n<servicingRadiologistID>anonymous</servicingRadiologistID>\n" + inside +
         "</readingSession>\n";
}

inline std::string xml_message(const std::string& readings, const std::string& series = "1.2.3") {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<LidcReadMessage xmlns=\"http://www.nih.gov\">\n"
         "<ResponseHeader>\n<SeriesInstanceUid>" +
         series + "</SeriesInstanceUid>\n<StudyInstanceUID>1.2</StudyInstanceUID>\n</ResponseHeader>\n" +
         readings + "</LidcReadMessage>";
}

inline void write_text(const std::filesystem::path& file, const std::string& text) {
  write_bytes(file, ByteVector(text.begin(), text.end()));
}

}  // namespace medretrieval::testing
