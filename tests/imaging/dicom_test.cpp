// What the samples of a DICOM file mean and which tags it answers, with files made here.
#include <cmath>
#include <thread>

#include "imaging/dicom_fixture.hpp"

namespace medretrieval::imaging {
namespace {

TEST_F(Dicom, StatesWhatItHolds) {
  const DicomFile file = open_with(DicomImageParts{}.data_set(), {0, 1, 2, 65535});
  EXPECT_TRUE(file.has_pixels());
  EXPECT_EQ(file.frame_count(), 1U);
  EXPECT_EQ(file.transfer_syntax_uid(), kExplicitLittleEndian);
  EXPECT_EQ(file.photometric_interpretation(), "MONOCHROME2");
  const StoredSamples samples = file.stored_samples();
  EXPECT_EQ(samples.rows, 2U);
  EXPECT_EQ(samples.bits, 16);
  EXPECT_FALSE(samples.is_signed);
  EXPECT_EQ(samples.bytes, (ByteVector{0, 0, 1, 0, 2, 0, 255, 255}));
  EXPECT_ERROR(file.stored_samples(1), invalid_argument, "no frame 1");
}

TEST_F(Dicom, WithoutAWindowShowsItsOwnRange) {
  const DicomFile file = open_with(DicomImageParts{}.data_set(), {100, 150, 200, 300});
  EXPECT_EQ(values(file.modality_image()), (std::vector<float>{100, 150, 200, 300}));
  EXPECT_EQ(values(file.display_image()), (std::vector<float>{0, 0.25F, 0.5F, 1}));
  EXPECT_FALSE(file.stated_window().has_value());
}

TEST_F(Dicom, GivenWindowComesBeforeTheStatedOne) {
  DicomBytes set = DicomImageParts{}.data_set();
  set.text(kWindowCenter, "DS", "200\\50").text(kWindowWidth, "DS", "100\\10");
  set.text(kVoiFunction, "CS", "LINEAR_EXACT");
  const DicomFile file = open_with(set, {150, 200, 250, 1000});
  ASSERT_TRUE(file.stated_window().has_value());
  EXPECT_EQ(file.stated_window()->center, 200);
  EXPECT_EQ(file.stated_window()->width, 100);
  EXPECT_EQ(values(file.display_image()), (std::vector<float>{0, 0.5F, 1, 1}));
  EXPECT_EQ(values(file.display_image(0, Window{1000, 100})), (std::vector<float>{0, 0, 0, 0.5F}));
}

TEST_F(Dicom, StatedWindowFollowsItsFunction) {
  DicomBytes set = DicomImageParts{}.data_set();
  set.text(kWindowCenter, "DS", "100.5").text(kWindowWidth, "DS", "101");
  // LINEAR, the default: from center - 0.5 - (width - 1) / 2 to center - 0.5 + (width - 1) / 2.
  EXPECT_EQ(values(open_with(set, {50, 75, 100, 150}).display_image()),
            (std::vector<float>{0, 0.25F, 0.5F, 1}));
  set.text(kVoiFunction, "CS", "SIGMOID");
  const Image sigmoid = open_with(set, {0, 100, 101, 1000}).display_image();
  EXPECT_FLOAT_EQ(sigmoid.at(1, 0) + sigmoid.at(0, 1), 1);
  EXPECT_FLOAT_EQ(sigmoid.at(0, 0), static_cast<float>(1 / (1 + std::exp(4 * 100.5 / 101))));
}

TEST_F(Dicom, StatedWindowWithoutWidthCountsAsNone) {
  DicomBytes set = DicomImageParts{}.data_set();
  set.text(kWindowCenter, "DS", "5").text(kWindowWidth, "DS", "0");
  EXPECT_EQ(values(open_with(set, {0, 1, 2, 4}).display_image()), (std::vector<float>{0, 0.25F, 0.5F, 1}));
}

TEST_F(Dicom, CtWithRescaleIsHounsfieldAndTakesTheLungWindow) {
  DicomImageParts parts;
  parts.modality = "CT";
  parts.is_signed = 1;
  DicomBytes set = parts.data_set();
  set.text(kRescaleIntercept, "DS", "-1024").text(kRescaleSlope, "DS", "2");
  const DicomFile file = open_with(set, {0, 512, 0xFFFF, 724});
  EXPECT_EQ(file.modality_image().unit(), PixelUnit::hounsfield);
  EXPECT_EQ(values(file.modality_image()), (std::vector<float>{-1024, 0, -1026, 424}));
  EXPECT_FLOAT_EQ(file.display_image().at(0, 1), (1200 - 1026) / 1800.0F);
  EXPECT_EQ(file.tag("Modality"), "CT");
}

TEST_F(Dicom, CtWithoutRescaleIsNotHounsfield) {
  DicomImageParts parts;
  parts.modality = "CT";
  EXPECT_EQ(open_with(parts.data_set(), {0, 1, 2, 3}).modality_image().unit(), PixelUnit::stored);
}

TEST_F(Dicom, Monochrome1IsInvertedForDisplayOnly) {
  DicomImageParts parts;
  parts.photometric = "MONOCHROME1";
  const DicomFile file = open_with(parts.data_set(), {0, 1, 2, 4});
  EXPECT_EQ(values(file.modality_image()), (std::vector<float>{0, 1, 2, 4}));
  EXPECT_EQ(values(file.display_image()), (std::vector<float>{1, 0.75F, 0.5F, 0}));
}

TEST_F(Dicom, OnlyStoredBitsCount) {
  DicomImageParts parts;
  parts.bits_stored = 12;
  parts.high_bit = 11;
  // An overlay bit above the stored ones.
  EXPECT_EQ(values(open_with(parts.data_set(), {0x1001, 0xF002, 3, 0xFFF}).modality_image()),
            (std::vector<float>{1, 2, 3, 4095}));
  parts.is_signed = 1;
  EXPECT_EQ(values(open_with(parts.data_set(), {0xFFF, 0x800, 0x7FF, 0xF001}).modality_image()),
            (std::vector<float>{-1, -2048, 2047, 1}));
  parts.high_bit = 15;
  EXPECT_EQ(values(open_with(parts.data_set(), {0xFFF5, 0x8000, 0x0010, 0}).modality_image()),
            (std::vector<float>{-1, -2048, 1, 0}));
}

TEST_F(Dicom, EnhancedObjectsHaveTheirRulesPerFrame) {
  DicomImageParts parts;
  parts.modality = "CT";
  parts.frames = "2";
  parts.rows = 1;
  parts.columns = 1;
  DicomBytes shared_rescale;
  shared_rescale.text(kRescaleIntercept, "DS", "-1000").text(kRescaleSlope, "DS", "1");
  DicomBytes frame_window;
  frame_window.text(kWindowCenter, "DS", "40").text(kWindowWidth, "DS", "400");
  DicomBytes shared;
  shared.sequence(0x00289145, shared_rescale);
  DicomBytes frame;
  frame.sequence(0x00289132, frame_window);
  DicomBytes set = parts.data_set();
  set.sequence(0x52009229, shared).sequence(0x52009230, frame);  // frame 1 has no item of its own
  const DicomFile file = open_with(set, {1000, 1040});
  EXPECT_EQ(file.modality_image(1).at(0, 0), 40.0F);
  EXPECT_EQ(file.modality_image(1).unit(), PixelUnit::hounsfield);
  ASSERT_TRUE(file.stated_window(0).has_value());
  EXPECT_EQ(file.stated_window(0)->width, 400);
  EXPECT_FALSE(file.stated_window(1).has_value());
}

TEST_F(Dicom, ColourBecomesLuminance) {
  DicomImageParts parts;
  parts.rows = parts.columns = 1;
  parts.samples = 3;
  parts.bits_allocated = parts.bits_stored = 8;
  parts.high_bit = 7;
  parts.photometric = "RGB";
  const auto grey = [&](const DicomBytes& set, const ByteVector& samples) {
    return open(DicomBytes(set).element(kPixelData, "OB", samples)).display_image().at(0, 0);
  };
  EXPECT_FLOAT_EQ(grey(parts.data_set(), {10, 200, 30, 0}), (0.299F * 10 + 0.587F * 200 + 0.114F * 30) / 255);
  parts.photometric = "YBR_FULL";
  EXPECT_FLOAT_EQ(grey(parts.data_set(), {51, 200, 30, 0}), 0.2F);
  const DicomFile file(file_);
  EXPECT_ERROR(file.display_image(0, Window{100, 100}), invalid_argument, "colour");
  parts.photometric = "HSV";
  EXPECT_ERROR(grey(parts.data_set(), {1, 2, 3, 0}), unsupported, "HSV");
}

TEST_F(Dicom, PlanesAndPairsAreInterleaved) {
  DicomImageParts parts;
  parts.rows = 1;
  parts.samples = 3;
  parts.bits_allocated = parts.bits_stored = 8;
  parts.high_bit = 7;
  parts.photometric = "RGB";
  DicomBytes planar = parts.data_set();
  planar.us(0x00280006, {1}).element(kPixelData, "OB", {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(open(planar).stored_samples().bytes, (ByteVector{1, 3, 5, 2, 4, 6}));
  parts.photometric = "YBR_FULL_422";
  DicomBytes pairs = parts.data_set();
  pairs.element(kPixelData, "OB", {1, 2, 9, 8});
  EXPECT_EQ(open(pairs).stored_samples().bytes, (ByteVector{1, 9, 8, 2, 9, 8}));
}

TEST_F(Dicom, SingleBitsRunOnAcrossFrames) {
  DicomImageParts parts;
  parts.rows = 1;
  parts.columns = 3;
  parts.frames = "3";
  parts.bits_allocated = parts.bits_stored = 1;
  parts.high_bit = 0;
  DicomBytes set = parts.data_set();
  set.element(kPixelData, "OB", {0b11010001, 0b00000001});
  const DicomFile file = open(set);
  EXPECT_EQ(file.stored_samples(0).bytes, (ByteVector{1, 0, 0}));
  EXPECT_EQ(file.stored_samples(1).bytes, (ByteVector{0, 1, 0}));
  EXPECT_EQ(file.stored_samples(2).bytes, (ByteVector{1, 1, 1}));
  EXPECT_EQ(file.stored_samples(0).bits, 8);
}

TEST_F(Dicom, PaletteGoesThroughItsTables) {
  DicomImageParts parts;
  parts.photometric = "PALETTE COLOR";
  parts.bits_allocated = parts.bits_stored = 8;
  parts.high_bit = 7;
  DicomBytes set = parts.data_set();
  for (std::uint32_t channel = 0; channel < 3; ++channel) set.us(0x00281101 + channel, {2, 5, 16});
  for (std::uint32_t channel = 0; channel < 3; ++channel) {
    set.element(0x00281201 + channel, "OW",
                DicomBytes::words({static_cast<std::uint16_t>(1000 * channel), 65535}));
  }
  set.element(kPixelData, "OB", {0, 5, 6, 200});
  const Image image = open(set).modality_image();
  EXPECT_EQ(image.unit(), PixelUnit::display);
  EXPECT_FLOAT_EQ(image.at(0, 0), (0.587F * 1000 + 0.114F * 2000) / 65535);
  EXPECT_FLOAT_EQ(image.at(1, 0), image.at(0, 0));
  EXPECT_FLOAT_EQ(image.at(0, 1), 1);
  EXPECT_FLOAT_EQ(image.at(1, 1), 1);
}

TEST_F(Dicom, ModalityAndVoiTablesAreApplied) {
  DicomBytes table;
  table.us(0x00283002, {3, 10, 8}).us(0x00283006, {0, 51, 255});
  DicomBytes modality = DicomImageParts{}.data_set();
  modality.sequence(0x00283000, table);
  EXPECT_EQ(values(open_with(modality, {0, 11, 12, 500}).modality_image()),
            (std::vector<float>{0, 51, 255, 255}));
  DicomBytes voi = DicomImageParts{}.data_set();
  voi.sequence(0x00283010, table);
  EXPECT_EQ(values(open_with(voi, {0, 11, 12, 500}).display_image()), (std::vector<float>{0, 0.2F, 1, 1}));
  DicomBytes broken_table;
  broken_table.us(0x00283002, {300, 10, 16}).us(0x00283006, {0, 51, 255});
  DicomBytes broken = DicomImageParts{}.data_set();
  broken.sequence(0x00283010, broken_table);
  EXPECT_ERROR(open_with(broken, {0, 1, 2, 3}).display_image(), corrupt, "300 entries");
}

TEST_F(Dicom, WithoutPixelDataOpensAndAnswersTags) {
  DicomBytes set;
  set.text(0x00080005, "CS", "ISO_IR 100")
      .text(0x00100010, "PN", "M\xFCller^Anna")
      .text(0x00100020, "LO", "4711  ");
  const DicomFile file = open(set);
  EXPECT_FALSE(file.has_pixels());
  EXPECT_EQ(file.frame_count(), 0U);
  EXPECT_EQ(file.tag("PatientID"), "4711");
  EXPECT_EQ(file.tag("PatientName"), "M\xC3\xBCller^Anna");
  EXPECT_EQ(file.tag("StudyDate"), "");
  EXPECT_ERROR(file.tag("PatientWeather"), not_found, "PatientWeather");
  EXPECT_ERROR(file.stored_samples(), not_found, "without pixel data");
  EXPECT_ERROR(file.display_image(), not_found, file_.string());
}

TEST_F(Dicom, BulkAndSequencesHaveNoText) {
  DicomBytes table;
  table.us(0x00283002, {1, 0, 8});
  DicomBytes set = DicomImageParts{}.data_set();
  set.sequence(0x00283000, table);
  EXPECT_ERROR(open_with(set, {0, 0, 0, 0}).tag("ModalityLUTSequence"), unsupported, "ModalityLUTSequence");
}

TEST_F(Dicom, WithoutPreambleOrMetaInformationLoads) {
  DicomBytes set = DicomImageParts{}.data_set();
  set.element(kPixelData, "OW", DicomBytes::words({0, 1, 2, 4}));
  testing::write_bytes(file_, set.bytes());
  EXPECT_EQ(values(load_image(file_)), (std::vector<float>{0, 0.25F, 0.5F, 1}));
}

TEST_F(Dicom, OneFileServesManyThreads) {
  DicomImageParts parts;
  parts.frames = "4";
  parts.rows = parts.columns = 1;
  DicomBytes set = parts.data_set();
  set.text(kWindowCenter, "DS", "2").text(kWindowWidth, "DS", "4");
  const DicomFile file = open_with(set, {1, 2, 3, 4});
  std::vector<std::thread> threads;
  for (std::size_t frame = 0; frame < 4; ++frame) {
    threads.emplace_back([&file, frame] {
      for (int round = 0; round < 200; ++round) {
        EXPECT_EQ(file.modality_image(frame).at(0, 0), static_cast<float>(frame + 1));
        EXPECT_EQ(file.tag("Modality"), "OT");
        EXPECT_EQ(file.display_image(frame).width(), 1U);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace medretrieval::imaging
