#include "imaging/phantom_lidc.hpp"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <pugixml.hpp>
#include <sstream>

#include "base/concat.hpp"

namespace medretrieval::imaging::phantom {

namespace {

constexpr std::size_t kReaders = 4;

/// How one reader sees the nodule.
struct Eye {
  double size = 1;  ///< of the outline, relative
  Point shift;      ///< mm
};

/// The outline runs through the first pixels outside.
std::vector<LidcPoint> outline_at(const Nodule& nodule, const Eye& eye, double height, const Canvas& canvas) {
  const double radius = half_extent(nodule);
  Blob seen = nodule.outline;
  seen.centre = seen.centre + eye.shift;
  seen.axes = eye.size * std::sqrt(std::max(1 - height * height / (radius * radius), 0.1)) * seen.axes;
  const int side = static_cast<int>(canvas.side());
  cv::Mat mask = cv::Mat::zeros(side, side, CV_8U);
  const Point middle = canvas.to_pixel(seen.centre);
  mask.at<unsigned char>(static_cast<int>(std::lround(middle.y)), static_cast<int>(std::lround(middle.x))) =
      1;
  canvas.paint_near(seen.centre, seen.reach(), [&](std::size_t x, std::size_t y, Point point) {
    if (seen.depth(point) > 0) mask.at<unsigned char>(static_cast<int>(y), static_cast<int>(x)) = 1;
  });
  cv::dilate(mask, mask, cv::getStructuringElement(cv::MORPH_CROSS, {3, 3}));
  std::vector<std::vector<cv::Point>> outlines;
  cv::findContours(mask, outlines, cv::RETR_EXTERNAL, cv::CHAIN_APPROX_NONE);
  const auto longest = std::max_element(outlines.begin(), outlines.end(),
                                        [](const auto& a, const auto& b) { return a.size() < b.size(); });
  std::vector<LidcPoint> points;
  for (const cv::Point& point : *longest) points.push_back({point.x, point.y});
  points.push_back(points.front());
  return points;
}

int rate(double truth, detail::Random& random) {
  return static_cast<int>(std::clamp(std::nearbyint(truth + 0.5 * random.normal()), 1.0, 5.0));
}

LidcCharacteristics draw_characteristics(const NoduleRatings& truth, detail::Random& random) {
  LidcCharacteristics rated;
  rated.subtlety = rate(1 + truth.diameter_mm / 5, random);
  rated.internal_structure = 1;
  rated.calcification = truth.calcification > 0.3 ? 3 : 6;  // solid, or absent
  rated.sphericity = rate(4, random);
  rated.margin = rate(truth.margin, random);
  rated.lobulation = rate(truth.lobulation, random);
  rated.spiculation = rate(truth.spiculation, random);
  rated.texture = rate(truth.texture, random);
  rated.malignancy = rate(truth.malignancy, random);
  return rated;
}

LidcContour in_slice(const ReadSlice& slice, std::vector<LidcPoint> points) {
  return {slice.sop_uid, -slice.height, true, std::move(points), 0};
}

LidcNodule draw_nodule_mark(const CtPatient& patient, const std::vector<ReadSlice>& slices,
                            const Canvas& canvas, detail::Random& random) {
  LidcNodule mark;
  mark.characteristics = draw_characteristics(patient.ratings, random);
  const Eye eye{between(random, 0.9, 1.2), {between(random, -0.4, 0.4), between(random, -0.4, 0.4)}};
  const double seen = half_extent(patient.nodule) * between(random, 0.8, 1);
  for (const ReadSlice& slice : slices) {
    if (std::fabs(slice.height) >= seen) continue;
    mark.contours.push_back(in_slice(slice, outline_at(patient.nodule, eye, slice.height, canvas)));
  }
  return mark;
}

/// A point in the middle of the slice's left or right half, where nothing was drawn.
LidcContour draw_point(const ReadSlice& slice, const Canvas& canvas, detail::Random& random) {
  const int side = static_cast<int>(canvas.side());
  const int x = side / 4 + (random.below(2) == 1 ? side / 2 : 0);
  const int spread = side / 16;
  const int dx = static_cast<int>(random.below(static_cast<std::uint64_t>(spread)));
  return in_slice(slice, {{x + dx, side / 2}});
}

void append_points(pugi::xml_node parent, const char* element, const LidcContour& contour) {
  for (const LidcPoint point : contour.points) {
    pugi::xml_node node = parent.append_child(element);
    node.append_child("xCoord").text().set(point.x);
    node.append_child("yCoord").text().set(point.y);
  }
}

void append_place(pugi::xml_node parent, const LidcContour& contour) {
  parent.append_child("imageZposition").text().set(detail::concat(contour.z.value_or(0)).c_str());
  parent.append_child("imageSOP_UID").text().set(contour.sop_uid.c_str());
}

void append_characteristics(pugi::xml_node parent, const LidcCharacteristics& rated) {
  pugi::xml_node node = parent.append_child("characteristics");
  const std::pair<const char*, int> ratings[] = {{"subtlety", rated.subtlety},
                                                 {"internalStructure", rated.internal_structure},
                                                 {"calcification", rated.calcification},
                                                 {"sphericity", rated.sphericity},
                                                 {"margin", rated.margin},
                                                 {"lobulation", rated.lobulation},
                                                 {"spiculation", rated.spiculation},
                                                 {"texture", rated.texture},
                                                 {"malignancy", rated.malignancy}};
  for (const auto& [name, value] : ratings) node.append_child(name).text().set(value);
}

void append_reading(pugi::xml_node parent, const LidcReading& reading) {
  pugi::xml_node session = parent.append_child("readingSession");
  session.append_child("annotationVersion").text().set("3.12");
  session.append_child("servicingRadiologistID").text().set(reading.reader.c_str());
  for (const LidcNodule& nodule : reading.nodules) {
    pugi::xml_node node = session.append_child("unblindedReadNodule");
    node.append_child("noduleID").text().set(nodule.id.c_str());
    if (nodule.is_contoured()) append_characteristics(node, nodule.characteristics);
    for (const LidcContour& contour : nodule.contours) {
      pugi::xml_node roi = node.append_child("roi");
      append_place(roi, contour);
      roi.append_child("inclusion").text().set(contour.inclusion ? "TRUE" : "FALSE");
      append_points(roi, "edgeMap", contour);
    }
  }
  for (const LidcNonNodule& other : reading.non_nodules) {
    pugi::xml_node node = session.append_child("nonNodule");
    node.append_child("nonNoduleID").text().set(other.id.c_str());
    append_place(node, other.place);
    append_points(node, "locus", other.place);
  }
}

}  // namespace

std::vector<LidcReading> draw_readings(const CtPatient& patient, const std::vector<ReadSlice>& slices,
                                       const Canvas& canvas, detail::Random& random) {
  std::vector<LidcReading> readings(kReaders);
  const std::size_t sure = random.below(kReaders);
  for (std::size_t i = 0; i < kReaders; ++i) {
    LidcReading& reading = readings[i];
    reading.reader = "synthetic";
    const bool sees = random.uniform() < 0.8 || i == sure;
    LidcNodule mark = draw_nodule_mark(patient, slices, canvas, random);
    mark.id = "Nodule 001";
    if (sees) reading.nodules.push_back(std::move(mark));
    const LidcContour point = draw_point(slices[random.below(slices.size())], canvas, random);
    const std::uint64_t further = random.below(3);
    if (further == 1) reading.nodules.push_back({"Nodule 002", {}, {point}});
    if (further == 2) reading.non_nodules.push_back({"101", point});
  }
  return readings;
}

std::string lidc_xml(const LidcAnnotations& annotations) {
  pugi::xml_document document;
  pugi::xml_node declaration = document.append_child(pugi::node_declaration);
  declaration.append_attribute("version") = "1.0";
  declaration.append_attribute("encoding") = "UTF-8";
  document.append_child(pugi::node_comment).set_value(" SYNTHETIC, drawn by medretrieval: not a patient ");
  pugi::xml_node root = document.append_child("LidcReadMessage");
  root.append_attribute("xmlns") = "http://www.nih.gov";
  pugi::xml_node header = root.append_child("ResponseHeader");
  header.append_child("TaskDescription").text().set("Second unblinded read");
  header.append_child("SeriesInstanceUid").text().set(annotations.series_uid.c_str());
  header.append_child("StudyInstanceUID").text().set(annotations.study_uid.c_str());
  for (const LidcReading& reading : annotations.readings) append_reading(root, reading);
  std::ostringstream text;
  document.save(text, "  ");
  return text.str();
}

}  // namespace medretrieval::imaging::phantom
