// Encapsulated frames, and DICOM files that are cut, damaged or contradict themselves, made here.
#include <algorithm>

#include "imaging/dicom_fixture.hpp"
#include "support/damage.hpp"

namespace medretrieval::imaging {
namespace {

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

TEST_F(Dicom, UnknownTransferSyntaxIsNamed) {
  DicomBytes set = DicomImageParts{}.data_set();
  set.fragments({{0, 0, 1, 0xB3}});
  EXPECT_ERROR(open(set, "1.2.840.10008.1.2.4.100"), unsupported, "MPEG2");
  EXPECT_ERROR(open(set, "1.2.840.10008.1.2.4.201"), unsupported, "1.2.840.10008.1.2.4.201");
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

TEST_F(Dicom, FramesThatAreStatedAndFramesThatAreThere) {
  const auto native = [&](const std::string& frames, std::size_t there) {
    DicomImageParts parts;
    parts.frames = frames;
    return open(parts.data_set().element(kPixelData, "OW", ByteVector(8 * there)));
  };
  EXPECT_EQ(native("2", 2).frame_count(), 2U);
  EXPECT_ERROR(native("2", 1), corrupt, "pixel data of 8 bytes where 2 frames");
  EXPECT_ERROR(native("", 2), corrupt, "pixel data of 16 bytes where 1 frames");
  EXPECT_ERROR(native("2", 3), corrupt, "pixel data of 24 bytes where 2 frames");
  const auto run_lengths = [&](const std::string& frames, std::size_t there) {
    DicomImageParts parts;
    parts.frames = frames;
    return open(parts.data_set().fragments(std::vector<ByteVector>(there, ByteVector(64))),
                "1.2.840.10008.1.2.5");
  };
  EXPECT_EQ(run_lengths("2", 2).frame_count(), 2U);
  EXPECT_ERROR(run_lengths("2", 1), corrupt, "1 fragments where 2 frames");
  EXPECT_ERROR(run_lengths("", 2), corrupt, "2 fragments where 1 frames");
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
  EXPECT_ERROR(open_jpeg(fragments), corrupt, "2 frames where 1 is stated");
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

}  // namespace
}  // namespace medretrieval::imaging
