// The annotation files of LIDC-IDRI. Readings of CT have readingSession elements with unblindedReadNodule and
// nonNodule, readings of radiographs CXRreadingSession elements with unblindedRead.
#include <algorithm>
#include <cctype>
#include <medretrieval/imaging/image.hpp>
#include <medretrieval/imaging/lidc.hpp>
#include <span>
#include <string_view>

#include "base/concat.hpp"
#include "imaging/file_bytes.hpp"
#include "imaging/xml_text.hpp"

namespace medretrieval::imaging {

using detail::fail;

namespace {

constexpr int kMaxDepth = 16;
constexpr std::size_t kMaxReadings = 64;

/// A rating's element, its member and its highest value.
struct Rating {
  const char* name;
  int LidcCharacteristics::*member;
  int highest;
};

constexpr Rating kRatings[] = {
    {"subtlety", &LidcCharacteristics::subtlety, 5},
    {"internalStructure", &LidcCharacteristics::internal_structure, 4},
    {"calcification", &LidcCharacteristics::calcification, 6},
    {"sphericity", &LidcCharacteristics::sphericity, 5},
    {"margin", &LidcCharacteristics::margin, 5},
    {"lobulation", &LidcCharacteristics::lobulation, 5},
    {"spiculation", &LidcCharacteristics::spiculation, 5},
    {"texture", &LidcCharacteristics::texture, 5},
    {"malignancy", &LidcCharacteristics::malignancy, 5},
    {"confidence", &LidcCharacteristics::confidence, 5},
    {"obscuration", &LidcCharacteristics::obscuration, 5},
    {"reason", &LidcCharacteristics::reason, 5},
};

class AnnotationReader {
 public:
  explicit AnnotationReader(std::span<const std::uint8_t> bytes) : xml_(bytes, kMaxDepth) {}

  LidcAnnotations read() const {
    LidcAnnotations annotations;
    const std::string_view root = xml_.root().name();
    if (root != "LidcReadMessage" && root != "IdriReadMessage") {
      fail(ErrorCode::unsupported, "line ", xml_.line_of(xml_.root()), ": the root is <", root.substr(0, 40),
           ">, expected LidcReadMessage or IdriReadMessage");
    }
    annotations.of_radiograph = root == "IdriReadMessage";
    read_header(annotations);
    const char* session = annotations.of_radiograph ? "CXRreadingSession" : "readingSession";
    for (const pugi::xml_node node : xml_.root().children(session)) {
      if (annotations.readings.size() == kMaxReadings) {
        fail(ErrorCode::limit_exceeded, "line ", xml_.line_of(node), ": more than ", kMaxReadings,
             " readings");
      }
      annotations.readings.push_back(reading(node, annotations.of_radiograph));
    }
    return annotations;
  }

 private:
  void read_header(LidcAnnotations& annotations) const {
    const pugi::xml_node header = xml_.need(xml_.root(), "ResponseHeader");
    annotations.study_uid = XmlText::text(header, "StudyInstanceUID");
    if (annotations.of_radiograph) {
      annotations.series_uid = xml_.needed_text(header, "CTSeriesInstanceUid");
      annotations.radiograph_series_uid = XmlText::text(header, "CXRSeriesInstanceUid");
    } else {
      annotations.series_uid = xml_.needed_text(header, "SeriesInstanceUid");
    }
  }

  LidcReading reading(pugi::xml_node session, bool of_radiograph) const {
    LidcReading reading;
    reading.reader = XmlText::text(session, "servicingRadiologistID");
    for (const pugi::xml_node node :
         session.children(of_radiograph ? "unblindedRead" : "unblindedReadNodule")) {
      reading.nodules.push_back(nodule(node, of_radiograph));
    }
    for (const pugi::xml_node node : session.children("nonNodule")) {
      reading.non_nodules.push_back(non_nodule(node));
    }
    return reading;
  }

  LidcNodule nodule(pugi::xml_node node, bool of_radiograph) const {
    LidcNodule nodule;
    nodule.id = xml_.needed_text(node, "noduleID");
    const pugi::xml_node ratings = node.child("characteristics");
    for (const Rating& rating : kRatings) {
      const pugi::xml_node value = ratings.child(rating.name);
      if (value) nodule.characteristics.*rating.member = xml_.integer(value, 0, rating.highest);
    }
    xml_.need(node, "roi");
    for (const pugi::xml_node roi : node.children("roi")) {
      nodule.contours.push_back(contour(roi, "edgeMap", of_radiograph));
      nodule.contours.back().inclusion = inclusion(roi);
    }
    return nodule;
  }

  LidcNonNodule non_nodule(pugi::xml_node node) const {
    LidcNonNodule found{xml_.needed_text(node, "nonNoduleID"), contour(node, "locus", false)};
    if (found.place.points.size() != 1) {
      fail(ErrorCode::corrupt, "line ", xml_.line_of(node), ": a non-nodule with ", found.place.points.size(),
           " points, expected one");
    }
    return found;
  }

  LidcContour contour(pugi::xml_node node, const char* point_name, bool of_radiograph) const {
    LidcContour contour;
    contour.line = xml_.line_of(node);
    contour.sop_uid = XmlText::text(node, "imageSOP_UID");
    const pugi::xml_node z = node.child("imageZposition");
    if (z) contour.z = xml_.number(z);
    if (contour.sop_uid.empty() && (of_radiograph || !z)) {
      fail(ErrorCode::corrupt, "line ", contour.line, ": <", node.name(),
           "> names no slice: neither imageSOP_UID nor imageZposition");
    }
    xml_.need(node, point_name);
    for (const pugi::xml_node point : node.children(point_name)) {
      contour.points.push_back({coordinate(point, "xCoord"), coordinate(point, "yCoord")});
    }
    return contour;
  }

  int coordinate(pugi::xml_node point, const char* name) const {
    return xml_.integer(xml_.need(point, name), 0, static_cast<int>(kMaxImageSide) - 1);
  }

  bool inclusion(pugi::xml_node roi) const {
    std::string text(XmlText::text(roi, "inclusion"));
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    if (text.empty() || text == "TRUE") return true;
    if (text != "FALSE") {
      fail(ErrorCode::corrupt, "line ", xml_.line_of(roi.child("inclusion")), ": <inclusion> is \"",
           text.substr(0, 40), "\", expected TRUE or FALSE");
    }
    return false;
  }

  XmlText xml_;
};

}  // namespace

bool LidcNodule::is_contoured() const noexcept {
  return std::any_of(contours.begin(), contours.end(),
                     [](const LidcContour& contour) { return contour.points.size() > 1; });
}

LidcAnnotations read_lidc_annotations(const std::filesystem::path& file) {
  return naming_file(file, [&] { return AnnotationReader(read_file(file, kMaxLidcBytes)).read(); });
}

}  // namespace medretrieval::imaging
