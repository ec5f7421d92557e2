#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <medretrieval/imaging/dicom.hpp>
#include <medretrieval/imaging/load.hpp>
#include <medretrieval/imaging/nodule_region.hpp>
#include <string>
#include <vector>

#include "support/csv_table.hpp"
#include "support/expect_error.hpp"
#include "support/test_data.hpp"

namespace medretrieval::imaging {
namespace {

constexpr float kAir = -1000;
constexpr float kLung = -850;
constexpr float kTissue = 40;

void paint_disc(Image& image, double x, double y, double radius, float value) {
  for (std::size_t row = 0; row < image.height(); ++row) {
    for (std::size_t column = 0; column < image.width(); ++column) {
      const double dx = static_cast<double>(column) - x;
      const double dy = static_cast<double>(row) - y;
      if (dx * dx + dy * dy <= radius * radius) image.at(column, row) = value;
    }
  }
}

/// A body with two lungs, a windpipe, a vessel, and a nodule in the right half of the slice.
Image slice() {
  Image image(256, 256, PixelUnit::hounsfield);
  std::fill(image.pixels().begin(), image.pixels().end(), kAir);
  paint_disc(image, 128, 128, 110, kTissue);
  paint_disc(image, 80, 130, 35, kLung);
  paint_disc(image, 176, 130, 35, kLung);
  paint_disc(image, 128, 70, 6, kAir);
  paint_disc(image, 80, 130, 2, kTissue);
  paint_disc(image, 180, 120, 6, kTissue);
  return image;
}

/// A square outline around the nodule.
LidcContour nodule_outline() {
  LidcContour contour;
  contour.points = {{173, 113}, {187, 113}, {187, 127}, {173, 127}, {173, 113}};
  return contour;
}

std::vector<std::string> names_of(const Explanation& steps) {
  std::vector<std::string> names;
  for (const ExplainedStep& step : steps) names.push_back(step.name);
  return names;
}

const Image& step(const Explanation& steps, const std::string& name) {
  const auto found =
      std::find_if(steps.begin(), steps.end(), [&](const ExplainedStep& one) { return one.name == name; });
  if (found == steps.end()) throw std::out_of_range("no step " + name);
  return found->image;
}

TEST(SquareAround, MiddleOfTheBoxMovedInside) {
  LidcContour contour;
  contour.points = {{299, 355}, {328, 379}};
  const PixelRegion square = square_around(contour, 512, 512, 32);
  EXPECT_EQ(square.x, 297);
  EXPECT_EQ(square.y, 351);
  EXPECT_EQ(square.width, 32U);
  contour.points = {{0, 511}};
  EXPECT_EQ(square_around(contour, 512, 512, 32).x, 0);
  EXPECT_EQ(square_around(contour, 512, 512, 32).y, 480);
  EXPECT_ERROR(square_around(contour, 512, 512, 0), invalid_argument, "a side of 1 to 512");
  EXPECT_ERROR(square_around(contour, 512, 20, 32), invalid_argument, "a side of 1 to 20");
  EXPECT_ERROR(square_around(contour, 256, 256, 32), corrupt, "(0, 511)");
  EXPECT_ERROR(square_around({}, 512, 512, 32), invalid_argument, "0 points");
}

TEST(CutOut, KeepsValuesAndRefusesWhatLiesOutside) {
  const Image image = slice();
  const Image part = cut_out(image, {172, 110, 12, 7});
  EXPECT_EQ(part.width(), 12U);
  EXPECT_EQ(part.height(), 7U);
  EXPECT_EQ(part.unit(), PixelUnit::hounsfield);
  EXPECT_EQ(part.at(8, 6), image.at(180, 116));
  EXPECT_ERROR(cut_out(image, {250, 0, 7, 7}), invalid_argument, "7 x 7 at (250, 0)");
  EXPECT_ERROR(cut_out(image, {-1, 0, 7, 7}), invalid_argument, "does not lie within");
  EXPECT_ERROR(cut_out(image, {0, 0, 0, 7}), invalid_argument, "0 x 7");
  EXPECT_ERROR(cut_out(image, {0, 0, 257, 1}), invalid_argument, "257 x 1");
}

TEST(LungInput, EverythingButTheLungsIsBlack) {
  LungInputOptions options;
  options.lung = {.components = 0, .closing_mm = 4, .dilation_mm = 3, .pixel_spacing_mm = 1};
  Explanation steps;
  const Image input = lung_input(slice(), options, &steps);
  EXPECT_EQ(names_of(steps),
            (std::vector<std::string>{"origin", "binary", "clear border", "closing", "dilation", "input"}));
  const float lung = (kLung + 1200) / 1800;
  const float tissue = (kTissue + 1200) / 1800;
  EXPECT_FLOAT_EQ(input.at(60, 130), lung);
  EXPECT_FLOAT_EQ(input.at(80, 130), tissue) << "a vessel is filled by closing";
  EXPECT_FLOAT_EQ(input.at(80, 130 - 37), tissue) << "the rim is taken in by dilation";
  EXPECT_EQ(input.at(128, 200), 0) << "tissue";
  EXPECT_EQ(input.at(2, 2), 0) << "air around the patient";
  EXPECT_GT(input.at(128, 70), 0) << "the windpipe is a component of its own";
  EXPECT_EQ(step(steps, "binary").at(2, 2), 1);
  EXPECT_EQ(step(steps, "clear border").at(2, 2), 0);
  EXPECT_EQ(step(steps, "clear border").at(80, 130), 0);
  EXPECT_EQ(step(steps, "closing").at(80, 130), 1);
}

TEST(LungInput, StepsCanBeLeftOutAndChanged) {
  LungInputOptions options;
  options.lung = {.clear_border = false, .components = 1};
  Explanation steps;
  const Image input = lung_input(slice(), options, &steps);
  EXPECT_EQ(names_of(steps), (std::vector<std::string>{"origin", "binary", "largest components", "input"}));
  EXPECT_GT(input.at(2, 2), 0) << "the air around the patient is the largest";
  EXPECT_EQ(input.at(60, 130), 0);
  options.lung.clear_border = true;
  options.lung.components = 2;
  options.side = 64;
  const Image small = lung_input(slice(), options);
  EXPECT_EQ(small.width(), 64U);
  EXPECT_EQ(small.at(32, 17), 0) << "the windpipe is the third largest";
  EXPECT_FLOAT_EQ(small.at(15, 32), (kLung + 1200) / 1800);
}

TEST(NoduleRegion, StepsOfThePaper) {
  NoduleRegionOptions options;
  options.lung.pixel_spacing_mm = 1;
  options.margin_mm = 5;
  Explanation steps;
  const Image region = nodule_region(slice(), nodule_outline(), options, &steps);
  EXPECT_EQ(names_of(steps),
            (std::vector<std::string>{"input", "binary", "clear border", "closing", "opening",
                                      "largest components", "lung", "contour", "crop", "region"}));
  EXPECT_EQ(region.width(), 32U);
  EXPECT_EQ(region.height(), 32U);
  EXPECT_EQ(step(steps, "crop").width(), 25U);  // 15 pixels and twice the margin
  EXPECT_FLOAT_EQ(region.at(16, 16), (kTissue + 1200) / 1800);
  EXPECT_FLOAT_EQ(region.at(1, 16), (kLung + 1200) / 1800);
  EXPECT_EQ(step(steps, "lung").at(128, 70), 0);
  EXPECT_EQ(step(steps, "contour").at(173, 113), 1);
}

TEST(NoduleRegion, WithoutMaskAndFitItIsThePlainSquare) {
  NoduleRegionOptions options;
  options.mask = false;
  options.fit = false;
  Explanation steps;
  const Image region = nodule_region(slice(), nodule_outline(), options, &steps);
  EXPECT_EQ(names_of(steps), (std::vector<std::string>{"input", "contour", "crop", "region"}));
  const Image expected =
      cut_out(apply_window(slice(), options.window), square_around(nodule_outline(), 256, 256, 32));
  EXPECT_TRUE(std::equal(region.pixels().begin(), region.pixels().end(), expected.pixels().begin()));
}

// A nodule at the wall belongs to no lung by its density; its outline brings it back.
TEST(NoduleRegion, TheOutlineJoinsTheMask) {
  LidcContour contour;
  contour.points = {{205, 120}, {220, 120}, {220, 135}, {205, 135}};
  NoduleRegionOptions options;
  options.lung = {.pixel_spacing_mm = 1};
  Explanation steps;
  nodule_region(slice(), contour, options, &steps);
  EXPECT_GT(step(steps, "lung").at(216, 128), 0);
  EXPECT_EQ(step(steps, "lung").at(225, 128), 0);
}

TEST(NoduleRegion, ASquareLargerThanTheSliceIsCut) {
  NoduleRegionOptions options;
  options.lung.pixel_spacing_mm = 0.7;
  options.margin_mm = 100;
  LidcContour contour;
  contour.points = {{0, 0}, {255, 255}};
  Explanation steps;
  EXPECT_EQ(nodule_region(slice(), contour, options, &steps).width(), 32U);
  EXPECT_EQ(step(steps, "crop").width(), 256U);
}

TEST(NoduleRegion, ALargeRadiusInALargeSliceIsRefused) {
  LungInputOptions options;
  options.lung = {.components = 0, .closing_mm = 6.4, .dilation_mm = 0, .pixel_spacing_mm = 0.1};
  const Image large(4096, 4096, PixelUnit::hounsfield);
  EXPECT_ERROR(lung_input(large, options), limit_exceeded, "a radius of 64 pixels in a slice of 4096 x 4096");
}

TEST(NoduleRegion, RefusesWhatItCannotUse) {
  const auto refused = [](auto change, ErrorCode code, const std::string& text) {
    NoduleRegionOptions options;
    change(options);
    try {
      nodule_region(slice(), nodule_outline(), options);
      ADD_FAILURE() << "expected: " << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code);
      EXPECT_THAT(error.what(), ::testing::HasSubstr(text));
    }
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  using Options = NoduleRegionOptions;
  const ErrorCode invalid = ErrorCode::invalid_argument;
  refused([](Options& o) { o.side = 7; }, invalid, "side is 7, expected 8 to 1024");
  refused([](Options& o) { o.margin_mm = -1; }, invalid, "margin_mm is -1");
  refused([&](Options& o) { o.margin_mm = nan; }, invalid, "margin_mm is nan");
  refused([](Options& o) { o.lung.pixel_spacing_mm = 0; }, invalid, "pixel_spacing_mm is 0");
  refused([&](Options& o) { o.lung.pixel_spacing_mm = nan; }, invalid, "pixel_spacing_mm is nan");
  refused([&](Options& o) { o.lung.threshold_hu = nan; }, invalid, "threshold_hu is nan");
  refused([](Options& o) { o.lung.components = -1; }, invalid, "components is -1");
  refused([](Options& o) { o.lung.closing_mm = 51; }, invalid, "closing_mm is 51 mm");
  refused([](Options& o) { o.lung.pixel_spacing_mm = 1e-6; }, invalid, "at most 64 pixels");
  refused([](Options& o) { o.window.width = 0; }, invalid, "width");
  LidcContour outside = nodule_outline();
  outside.points[0].x = 256;
  EXPECT_ERROR(nodule_region(slice(), outside), corrupt, "(256, 113)");
  EXPECT_ERROR(nodule_region(slice(), {}), invalid_argument, "without points");
  EXPECT_ERROR(nodule_region(Image(64, 64, PixelUnit::display), {"", {}, true, {{3, 3}}, 1}),
               invalid_argument, "Hounsfield");
  EXPECT_ERROR(lung_input(Image(4097, 8, PixelUnit::hounsfield)), limit_exceeded, "4097 x 8");
}

TEST(ContactSheet, AllStepsInRows) {
  Explanation steps;
  lung_input(slice(), {}, &steps);
  ASSERT_EQ(steps.size(), 6U);
  const Image sheet = contact_sheet(steps, 64, 4);
  EXPECT_EQ(sheet.width(), 4U * 68 + 4);
  EXPECT_EQ(sheet.height(), 2U * 88 + 4);
  EXPECT_EQ(sheet.unit(), PixelUnit::display);
  EXPECT_EQ(sheet.at(4 + 68 + 1, 4 + 1), 1) << "binary: air is white";
  EXPECT_ERROR(contact_sheet({}), invalid_argument, "needs steps");
  EXPECT_ERROR(contact_sheet(steps, 31), invalid_argument, "31");
  EXPECT_ERROR(contact_sheet(steps, 64, 0), invalid_argument, "columns");
}

TEST(LidcOracle, SumsOfSlices) {
  REQUIRE_DATA("ct_lidc/slices.csv");
  const auto folder = testing::data_folder() / "ct_lidc";
  const auto rows = testing::read_csv_table(folder / "slices.csv");
  EXPECT_EQ(rows.size(), 25U);
  for (const testing::CsvRow& row : rows) {
    const DicomFile file(folder / row.at("path"));
    const Image slice = file.modality_image();
    EXPECT_EQ(slice.unit(), PixelUnit::hounsfield);
    double sum = 0;
    for (const float value : slice.pixels()) sum += value;
    EXPECT_EQ(std::to_string(static_cast<long long>(sum)), row.at("hu_sum")) << row.at("path");
    EXPECT_EQ(file.tag("SOPInstanceUID"), row.at("sop_uid"));
  }
}

/// The slices of one patient that are there.
struct PatientSlices {
  std::vector<LidcSlice> slices;
  std::vector<std::filesystem::path> files;
};

std::map<std::string, PatientSlices> read_slices(const std::filesystem::path& folder) {
  std::map<std::string, PatientSlices> patients;
  for (const testing::CsvRow& row : testing::read_csv_table(folder / "slices.csv")) {
    PatientSlices& patient = patients[row.at("patient_id")];
    patient.slices.push_back({row.at("sop_uid"), std::stod(row.at("image_position_z"))});
    patient.files.push_back(folder / row.at("path"));
  }
  return patients;
}

/// What the table says of one outline and what is found for it.
struct Outline {
  LidcContour contour;
  testing::CsvRow row;
};

std::vector<Outline> outlines_in_order(const std::filesystem::path& folder) {
  std::vector<LidcContour> contours;
  for (const char* file : {"LIDC-IDRI-0001/annotations/069.xml", "LIDC-IDRI-0002/annotations/071.xml"}) {
    for (const LidcReading& reading : read_lidc_annotations(folder / file).readings) {
      for (const LidcNodule& nodule : reading.nodules) {
        if (!nodule.is_contoured()) continue;
        contours.insert(contours.end(), nodule.contours.begin(), nodule.contours.end());
      }
    }
  }
  std::vector<Outline> outlines;
  for (const testing::CsvRow& row : testing::read_csv_table(folder / "rois32.csv")) {
    outlines.push_back({contours.at(outlines.size()), row});
  }
  EXPECT_EQ(contours.size(), outlines.size());
  return outlines;
}

// Two outlines of one nodule in one slice have one file name in the table: the second was written over the
// first.
TEST(LidcOracle, SquaresOf32PixelsEqualThePublishedOnes) {
  REQUIRE_DATA("ct_lidc/rois32.csv");
  const auto folder = testing::data_folder() / "ct_lidc";
  const testing::TemporaryFolder temporary;
  const auto patients = read_slices(folder);
  std::map<std::string, Image> last;  // by path
  std::size_t compared = 0;
  for (const auto& [contour, row] : outlines_in_order(folder)) {
    const PatientSlices& patient = patients.at(row.at("patient_id"));
    const auto found = find_lidc_slice(contour, patient.slices);
    ASSERT_EQ(found.has_value(), row.at("slice_included") == "yes") << row.at("path");
    LidcContour by_position = contour;
    by_position.sop_uid.clear();
    EXPECT_EQ(find_lidc_slice(by_position, patient.slices), found) << row.at("path");
    const PixelRegion square = square_around(contour, 512, 512, 32);
    EXPECT_EQ(std::to_string(square.x), row.at("roi_x0"));
    EXPECT_EQ(std::to_string(square.y), row.at("roi_y0"));
    if (!found) continue;
    ++compared;
    const Image region = cut_out(DicomFile(patient.files[*found]).modality_image(), square);
    double sum = 0;
    for (const float value : region.pixels()) sum += value;
    EXPECT_EQ(std::to_string(static_cast<long long>(sum)), row.at("hu_sum")) << row.at("path");
    last[row.at("path")] = apply_window(region, {-300, 1400});
  }
  EXPECT_EQ(compared, 58U);
  EXPECT_EQ(last.size(), 56U);
  for (const auto& [path, image] : last) {
    write_png(image, temporary / "region.png");
    const Image ours = load_image(temporary / "region.png");
    const Image published = load_image(folder / path);
    EXPECT_TRUE(std::equal(ours.pixels().begin(), ours.pixels().end(), published.pixels().begin(),
                           published.pixels().end()))
        << path;
  }
}

// Every outline of the real slices gives a region, and the nodule is in it (the second patient's is ground
// glass, darker than tissue).
TEST(LidcOracle, RegionsOfRealNodules) {
  REQUIRE_DATA("ct_lidc/rois32.csv");
  const auto folder = testing::data_folder() / "ct_lidc";
  const auto patients = read_slices(folder);
  std::size_t regions = 0;
  for (const auto& [contour, row] : outlines_in_order(folder)) {
    const PatientSlices& patient = patients.at(row.at("patient_id"));
    const auto found = find_lidc_slice(contour, patient.slices);
    if (!found || !contour.inclusion) continue;
    const Image slice = DicomFile(patient.files[*found]).modality_image();
    Explanation steps;
    const Image region = nodule_region(slice, contour, {}, &steps);
    const Image& lung = step(steps, "largest components");
    const auto share = std::count(lung.pixels().begin(), lung.pixels().end(), 1.0F);
    EXPECT_GT(share, 512 * 512 / 20) << row.at("path") << ": both lungs";
    EXPECT_LT(share, 512 * 512 / 2) << row.at("path") << ": nothing but lungs";
    EXPECT_EQ(region.width(), 32U);
    EXPECT_GT(*std::max_element(region.pixels().begin(), region.pixels().end()), 0.4) << row.at("path");
    ++regions;
  }
  EXPECT_EQ(regions, 56U);
}

}  // namespace
}  // namespace medretrieval::imaging
