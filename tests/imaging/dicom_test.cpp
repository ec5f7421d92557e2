// DICOM files made here, so that something is tested without the data.
#include <gtest/gtest.h>

#include <medretrieval/imaging/dicom.hpp>
#include <medretrieval/imaging/load.hpp>
#include <thread>

#include "support/damage.hpp"
#include "support/dicom_bytes.hpp"
#include "support/expect_error.hpp"
#include "support/test_data.hpp"

namespace medretrieval::imaging {
namespace {

using testing::ByteVector;
using testing::DicomBytes;
using testing::DicomImageParts;
using testing::kExplicitLittleEndian;

constexpr std::uint32_t kWindowCenter = 0x00281050;
constexpr std::uint32_t kWindowWidth = 0x00281051;
constexpr std::uint32_t kRescaleIntercept = 0x00281052;
constexpr std::uint32_t kRescaleSlope = 0x00281053;
constexpr std::uint32_t kVoiFunction = 0x00281056;
constexpr std::uint32_t kPixelData = 0x7FE00010;

class Dicom : public ::testing::Test {
 protected:
  DicomFile open(const DicomBytes& set, const std::string& syntax = kExplicitLittleEndian) {
    testing::write_bytes(file_, set.file(syntax));
    return DicomFile(file_);
  }
  /// Two by two 16-bit samples behind the attributes of `set`.
  DicomFile open_with(DicomBytes set, const std::vector<std::uint16_t>& samples) {
    return open(set.element(kPixelData, "OW", DicomBytes::words(samples)));
  }
  static std::vector<float> values(const Image& image) {
    return {image.pixels().begin(), image.pixels().end()};
  }

  testing::TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "image.dcm";
};

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

TEST_F(Dicom, AttributesThatContradictEachOtherAreRefused) {
  const auto open_changed = [&](auto change) {
    DicomImageParts parts;
    change(parts);
    return open_with(parts.data_set(), {1, 2, 3, 4});
  };
  EXPECT_ERROR(open_changed([](auto& p) { p.rows = 3; }), corrupt, "pixel data of 8 bytes");
  EXPECT_ERROR(open_changed([](auto& p) { p.rows = 1; }), corrupt, "pixel data of 8 bytes");
  EXPECT_ERROR(open_changed([](auto& p) { p.rows = 0; }), corrupt, "0 rows");
  EXPECT_ERROR(open_changed([](auto& p) { p.rows = p.columns = 65535; }), limit_exceeded, "65535 columns");
  EXPECT_ERROR(open_changed([](auto& p) { p.bits_allocated = 7; }), unsupported, "BitsAllocated is 7");
  EXPECT_ERROR(open_changed([](auto& p) { p.bits_stored = 17; }), corrupt, "BitsStored 17");
  EXPECT_ERROR(open_changed([](auto& p) { p.high_bit = 3; }), corrupt, "HighBit 3");
  EXPECT_ERROR(open_changed([](auto& p) { p.samples = 3; }), corrupt, "SamplesPerPixel is 3");
  EXPECT_ERROR(open_changed([](auto& p) { p.frames = "1A"; }), corrupt, "1A");
  EXPECT_ERROR(open_changed([](auto& p) { p.frames = "0"; }), corrupt, "NumberOfFrames");
  EXPECT_ERROR(open_changed([](auto& p) { p.frames = "2000000000"; }), corrupt, "2000000000 frames");
}

TEST_F(Dicom, MissingAttributesAreNamed) {
  DicomBytes set;
  set.text(0x00080060, "CS", "OT").us(0x00280010, {1}).element(kPixelData, "OW", {0, 0});
  EXPECT_ERROR(open(set), corrupt, "Columns");
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

TEST_F(Dicom, UnknownTransferSyntaxIsNamed) {
  DicomBytes set = DicomImageParts{}.data_set();
  set.fragments({{0, 0, 1, 0xB3}});
  EXPECT_ERROR(open(set, "1.2.840.10008.1.2.4.100"), unsupported, "MPEG2");
}

TEST_F(Dicom, RunLengthsAreUnpackedByByte) {
  DicomImageParts parts;
  DicomBytes set = parts.data_set();
  ByteVector frame(64);
  frame[0] = 2;  // segments: high bytes, then low bytes
  frame[4] = 64;
  frame[8] = 66;
  frame.insert(frame.end(), {253, 1});                      // four times 1
  frame.insert(frame.end(), {128, 1, 10, 20, 255, 30, 0});  // nothing, 10 20, twice 30, padding
  set.fragments({frame});
  EXPECT_EQ(open(set, "1.2.840.10008.1.2.5").stored_samples().bytes,
            (ByteVector{10, 1, 20, 1, 30, 1, 30, 1}));
  frame.resize(frame.size() - 3);
  DicomBytes cut = parts.data_set();
  cut.fragments({frame});
  EXPECT_ERROR(open(cut, "1.2.840.10008.1.2.5").stored_samples(), corrupt, "ends after 2 of 4");
}

class DicomJpeg : public Dicom {
 protected:
  static constexpr const char* kBaseline = "1.2.840.10008.1.2.4.50";
  DicomFile open_jpeg(const std::vector<ByteVector>& fragments, const std::string& frames = "",
                      const ByteVector& offset_table = {}) {
    DicomImageParts parts;
    parts.rows = parts.columns = 16;
    parts.bits_allocated = parts.bits_stored = 8;
    parts.high_bit = 7;
    parts.frames = frames;
    return open(parts.data_set().fragments(fragments, offset_table), kBaseline);
  }
  static ByteVector jpeg_of(std::uint8_t level) {
    return testing::make_jpeg(16, 16, 1, ByteVector(256, level));
  }
  /// `bytes` in pieces of an even length.
  static std::vector<ByteVector> pieces(const ByteVector& bytes, std::size_t size) {
    std::vector<ByteVector> parts;
    for (std::size_t at = 0; at < bytes.size(); at += size) {
      parts.emplace_back(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                         bytes.begin() + static_cast<std::ptrdiff_t>(std::min(at + size, bytes.size())));
    }
    return parts;
  }
};

TEST_F(DicomJpeg, FramesAreFoundAmongFragments) {
  std::vector<ByteVector> fragments = pieces(jpeg_of(40), 100);
  const std::size_t first = fragments.size();
  for (const ByteVector& piece : pieces(jpeg_of(90), 64)) fragments.push_back(piece);
  std::size_t second_offset = 0;
  for (std::size_t i = 0; i < first; ++i) second_offset += 8 + (fragments[i].size() + 1) / 2 * 2;
  ByteVector table = DicomBytes::four_bytes(0);
  for (const std::uint8_t byte : DicomBytes::four_bytes(second_offset)) table.push_back(byte);
  for (const ByteVector& offsets : {ByteVector(), table}) {
    const DicomFile file = open_jpeg(fragments, "2", offsets);
    EXPECT_NEAR(file.stored_samples(1).bytes[0], 90, 1);
    EXPECT_NEAR(file.stored_samples(0).bytes[0], 40, 1);
  }
  table[4] ^= 2;
  EXPECT_ERROR(open_jpeg(fragments, "2", table), corrupt, "offset table");
  EXPECT_ERROR(open_jpeg(fragments, "3"), corrupt, "3 frames");
}

TEST_F(DicomJpeg, EveryCutStreamIsRefused) {
  const ByteVector whole = jpeg_of(123);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const DicomFile file =
        open_jpeg({ByteVector(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length))});
    EXPECT_THROW(file.stored_samples(), Error) << length << " of " << whole.size();
  }
}

TEST_F(DicomJpeg, AnotherSizeThanStatedIsRefused) {
  EXPECT_ERROR(open_jpeg({testing::make_jpeg(8, 16, 1, ByteVector(128))}).stored_samples(), corrupt,
               "8 x 16");
  EXPECT_ERROR(open_jpeg({testing::make_jpeg(16, 16, 3, ByteVector(768))}).stored_samples(), corrupt,
               "16 x 3");
}

TEST_F(Dicom, EveryCutIsRefused) {
  DicomBytes item;
  item.text(0x00080100, "SH", "T-D1100");
  DicomBytes image = DicomImageParts{}.data_set();
  image.sequence(0x00400555, item);
  image.element(kPixelData, "OW", DicomBytes::words({1, 2, 3, 4}));
  testing::expect_every_cut_is_refused(file_, image.file(kExplicitLittleEndian),
                                       [](const auto& file) { load_image(file); });
}

TEST_F(Dicom, FlippedBitsDoNoHarm) {
  DicomBytes native = DicomImageParts{}.data_set();
  native.text(kWindowCenter, "DS", "2").text(kWindowWidth, "DS", "4");
  native.element(kPixelData, "OW", DicomBytes::words({1, 2, 3, 4}));
  DicomImageParts parts;
  parts.rows = parts.columns = 16;
  parts.bits_allocated = parts.bits_stored = 8;
  parts.high_bit = 7;
  DicomBytes jpeg = parts.data_set();
  jpeg.fragments({testing::make_jpeg(16, 16, 1, ByteVector(256, 77))});
  const auto read = [](const auto& file) {
    const Image image = load_image(file);
    for (const float value : image.pixels()) ASSERT_TRUE(value >= 0 && value <= 1);
  };
  testing::expect_flipped_bits_do_no_harm(file_, native.file(kExplicitLittleEndian), 500, read);
  testing::expect_flipped_bits_do_no_harm(file_, jpeg.file("1.2.840.10008.1.2.4.50"), 500, read);
}

TEST_F(Dicom, DeepNestingIsRefusedAndNotFollowed) {
  ByteVector nested;
  for (int level = 0; level < 100000; ++level) {
    nested.insert(nested.end(), {0x08, 0x00, 0x18, 0x22, 'S', 'Q', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF});
    nested.insert(nested.end(), {0xFE, 0xFF, 0x00, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF});
  }
  ByteVector bytes = DicomBytes().text(0x00080060, "CS", "OT").file(kExplicitLittleEndian);
  bytes.insert(bytes.end(), nested.begin(), nested.end());
  testing::write_bytes(file_, bytes);
  EXPECT_ERROR(DicomFile{file_}, limit_exceeded, "nested");
}

TEST_F(Dicom, DeflatedDataIsReadAndABombIsNot) {
  DicomBytes set = DicomImageParts{}.data_set();
  set.element(kPixelData, "OW", DicomBytes::words({1, 2, 3, 5}));
  const ByteVector zlib = testing::deflated(set.bytes());
  ByteVector bytes = DicomBytes().file("1.2.840.10008.1.2.1.99");
  bytes.insert(bytes.end(), zlib.begin() + 2, zlib.end() - 4);  // without zlib's header and checksum
  testing::write_bytes(file_, bytes);
  EXPECT_EQ(values(load_image(file_)), (std::vector<float>{0, 0.25F, 0.5F, 1}));
  bytes.resize(bytes.size() - 8);
  testing::write_bytes(file_, bytes);
  EXPECT_ERROR(load_image(file_), corrupt, "cut or damaged");
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
