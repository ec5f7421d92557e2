// The header alone: the same as of the whole file, and as careful.
#include "imaging/dicom_header.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <numeric>

#include "imaging/dicom_fixture.hpp"
#include "imaging/dicom_parse.hpp"
#include "imaging/file_bytes.hpp"
#include "support/damage.hpp"

namespace medretrieval::imaging {
namespace {

constexpr std::uint32_t kPatientId = 0x00100020;
constexpr std::uint32_t kLutShape = 0x20500020;
constexpr std::uint32_t kEncapsulatedDocument = 0x00420011;
const char* const kKeywords[] = {"SOPInstanceUID",   "StudyDate",           "Modality",
                                 "PatientID",        "PixelSpacing",        "InstanceNumber",
                                 "BodyPartExamined", "ImagePositionPatient"};

class DicomHeaderOf : public Dicom {
 protected:
  void write(const DicomBytes& set, const std::string& syntax = kExplicitLittleEndian) {
    testing::write_bytes(file_, set.file(syntax));
  }
  static DicomBytes with_pixels(DicomBytes set) {
    return set.element(kPixelData, "OW", DicomBytes::words({1, 2, 3, 4}));
  }
};

TEST(DicomHeaderOracle, SameAsOfTheWholeFileInEverySample) {
  REQUIRE_DATA("dicom/expected.csv");
  std::size_t compared = 0;
  std::size_t with_pixels = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(testing::data_folder() / "dicom")) {
    if (entry.path().extension() != ".dcm") continue;
    std::optional<DicomFile> whole;
    try {
      whole.emplace(entry.path());
    } catch (const Error&) {
      continue;
    }
    const DicomHeader header(entry.path());
    EXPECT_EQ(header.has_pixels(), whole->has_pixels()) << entry.path();
    EXPECT_EQ(header.frame_count(), whole->frame_count()) << entry.path();
    for (const char* keyword : kKeywords) {
      EXPECT_EQ(header.tag(keyword), whole->tag(keyword)) << entry.path() << ' ' << keyword;
    }
    ++compared;
    with_pixels += header.has_pixels() ? 1 : 0;
  }
  std::cout << compared << " files, " << with_pixels << " with pixels\n";
  EXPECT_GT(compared, 80U);
  EXPECT_GT(with_pixels, 60U);
}

TEST_F(DicomHeaderOf, APixelElementOfAnIconIsNotTheImages) {
  DicomBytes icon;
  icon.element(kPixelData, "OW", {1, 2});
  DicomBytes set = DicomImageParts{}.data_set();
  set.sequence(0x00880200, icon).text(kLutShape, "CS", "IDENTITY");
  write(set);
  EXPECT_FALSE(DicomHeader(file_).has_pixels());
  EXPECT_EQ(DicomHeader(file_).tag("PresentationLUTShape"), "IDENTITY");
  write(with_pixels(set));
  EXPECT_TRUE(DicomHeader(file_).has_pixels());
}

TEST_F(DicomHeaderOf, PixelsOfNoBytesOrInFloatAreNone) {
  DicomBytes set = DicomImageParts{}.data_set();
  write(DicomBytes(set).element(kPixelData, "OW", {}));
  EXPECT_FALSE(DicomHeader(file_).has_pixels());
  write(DicomBytes(set).element(0x7FE00008, "UN", {0, 0, 0, 0}));
  EXPECT_FALSE(DicomHeader(file_).has_pixels());
}

TEST_F(DicomHeaderOf, ImplicitValueRepresentation) {
  ByteVector bytes = DicomBytes().file("1.2.840.10008.1.2");
  const auto append = [&](std::uint32_t tag, const ByteVector& value) {
    for (const std::uint32_t part : {tag >> 16, tag & 0xFFFF}) {
      bytes.push_back(static_cast<std::uint8_t>(part & 0xFF));
      bytes.push_back(static_cast<std::uint8_t>(part >> 8));
    }
    const ByteVector length = DicomBytes::four_bytes(value.size());
    bytes.insert(bytes.end(), length.begin(), length.end());
    bytes.insert(bytes.end(), value.begin(), value.end());
  };
  append(0x00080060, {'C', 'T'});
  append(0x00280002, {1, 0});
  append(0x00280004, {'M', 'O', 'N', 'O', 'C', 'H', 'R', 'O', 'M', 'E', '2', ' '});
  for (const std::uint32_t tag : {0x00280010U, 0x00280011U}) append(tag, {2, 0});
  append(0x00280100, {16, 0});
  append(0x00280103, {0, 0});
  append(kPixelData, ByteVector(8));
  testing::write_bytes(file_, bytes);
  EXPECT_TRUE(DicomHeader(file_).has_pixels());
  EXPECT_EQ(DicomHeader(file_).tag("Modality"), "CT");
  bytes.pop_back();
  testing::write_bytes(file_, bytes);
  EXPECT_ERROR(DicomHeader{file_}, corrupt, "a value of 8 bytes of which the file has 7");
}

TEST_F(DicomHeaderOf, LongHeadersAreReadAndBulkDataPassedOver) {
  DicomBytes set;
  set.text(0x00080060, "CS", "CT");
  set.element(0x00091010, "UN", ByteVector(100'000, 7)).text(kPatientId, "LO", "P7");
  set.element(kEncapsulatedDocument, "OB", ByteVector(std::size_t{3} << 20, 9));
  set.text(kLutShape, "CS", "IDENTITY");
  write(set);
  const DicomHeader header(file_);
  EXPECT_EQ(header.tag("PatientID"), "P7");
  EXPECT_EQ(header.tag("PresentationLUTShape"), "IDENTITY");
  EXPECT_ERROR(header.tag("EncapsulatedDocument"), unsupported, "bulk data");
  ByteVector cut = set.file(kExplicitLittleEndian);
  cut.resize(cut.size() - (std::size_t{1} << 20));
  testing::write_bytes(file_, cut);
  EXPECT_ERROR(DicomHeader{file_}, corrupt, "not a whole DICOM file");
}

TEST_F(DicomHeaderOf, AHeaderWithoutEndIsRefused) {
  DicomBytes set;
  for (std::uint32_t i = 0; i <= kMaxDicomHeaderBytes / kMaxHeaderValueBytes; ++i) {
    set.element(0x00091010 + i, "UN", ByteVector(kMaxHeaderValueBytes));
  }
  write(set);
  EXPECT_ERROR(DicomHeader{file_}, limit_exceeded, "a DICOM header of more than 16777216 bytes");
}

TEST_F(DicomHeaderOf, EveryCutIsRefused) {
  DicomBytes item;
  item.text(0x00080100, "SH", "T-D1100");
  DicomBytes image = DicomImageParts{}.data_set();
  image.sequence(0x00400555, item);
  testing::expect_every_cut_is_refused(file_, with_pixels(image).file(kExplicitLittleEndian),
                                       [](const auto& file) {
                                         if (DicomHeader(file).has_pixels()) return;
                                         throw Error(ErrorCode::corrupt, "cut between two elements");
                                       });
}

TEST_F(DicomHeaderOf, FlippedBitsDoNoHarm) {
  DicomBytes image = DicomImageParts{}.data_set();
  image.text(kPatientId, "LO", "P7");
  testing::expect_flipped_bits_do_no_harm(file_, with_pixels(image).file(kExplicitLittleEndian), 2000,
                                          [](const auto& file) {
                                            const DicomHeader header(file);
                                            for (const char* keyword : kKeywords) header.tag(keyword);
                                          });
}

TEST_F(DicomHeaderOf, LengthsThatAreClaimedAreNotAllocated) {
  ByteVector bytes = DicomBytes().text(0x00080060, "CS", "CT").file(kExplicitLittleEndian);
  for (const int top : {0x7F, 0xFF}) {
    ByteVector claim = bytes;
    for (const int byte :
         std::initializer_list<int>{9, 0, 0x10, 0x10, 'U', 'N', 0, 0, 0xF0, 0xFF, 0xFF, top}) {
      claim.push_back(static_cast<std::uint8_t>(byte));
    }
    testing::write_bytes(file_, claim);
    EXPECT_THROW(DicomHeader{file_}, Error);
  }
}

TEST_F(DicomHeaderOf, DeepNestingIsRefused) {
  ByteVector bytes = DicomBytes().text(0x00080060, "CS", "OT").file(kExplicitLittleEndian);
  for (int level = 0; level < 100000; ++level) {
    bytes.insert(bytes.end(), {0x08, 0x00, 0x18, 0x22, 'S', 'Q', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF});
    bytes.insert(bytes.end(), {0xFE, 0xFF, 0x00, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF});
  }
  testing::write_bytes(file_, bytes);
  EXPECT_ERROR(DicomHeader{file_}, limit_exceeded, "nested");
}

TEST_F(DicomHeaderOf, DeflatedDataIsUnfolded) {
  DicomBytes set = DicomImageParts{}.data_set();
  set.element(0x00290010, "UN", ByteVector(100'000, 3));
  const ByteVector zlib = testing::deflated(with_pixels(set).bytes());
  ByteVector bytes = DicomBytes().file("1.2.840.10008.1.2.1.99");
  bytes.insert(bytes.end(), zlib.begin() + 2, zlib.end() - 4);  // without zlib's header and checksum
  testing::write_bytes(file_, bytes);
  EXPECT_TRUE(DicomHeader(file_).has_pixels());
  EXPECT_EQ(DicomHeader(file_).tag("Modality"), "OT");
  bytes.resize(bytes.size() - 8);
  testing::write_bytes(file_, bytes);
  EXPECT_ERROR(DicomHeader{file_}, corrupt, "cut or damaged");
}

TEST_F(DicomHeaderOf, ElementsOfUnknownRepresentationAreWhatTheDictionarySays) {
  DicomBytes set;
  set.element(0x00080060, "UN", {'C', 'T'}).element(kPatientId, "UN", {'P', '7', '1', ' '});
  set.element(0x00280010, "UN", {2, 0});
  write(set);
  EXPECT_EQ(DicomHeader(file_).tag("Modality"), "CT");
  EXPECT_EQ(DicomHeader(file_).tag("PatientID"), "P71");
  EXPECT_EQ(DicomHeader(file_).tag("Rows"), "2");
}

TEST_F(DicomHeaderOf, BytesAreNoText) {
  write(DicomBytes().text(0x00080060, "CS", "CT").element(kPatientId, "OB", {'P', '7'}));
  EXPECT_ERROR(DicomHeader(file_).tag("PatientID"), unsupported, "PatientID is stored as OB");
}

/// Empty elements, the last tag first.
ByteVector falling_elements(std::uint32_t count) {
  DicomBytes set;
  set.text(0x00080060, "CS", "OT");
  for (std::uint32_t i = count; i > 0; --i) set.element(0x00110000 + i, "LO", {});
  return set.file(kExplicitLittleEndian);
}

TEST_F(DicomHeaderOf, ElementsOutOfOrderAreRefusedWhenTheyAreMany) {
  testing::write_bytes(file_, falling_elements(40));
  EXPECT_EQ(DicomHeader(file_).tag("Modality"), "OT");
  testing::write_bytes(file_, falling_elements(100));
  EXPECT_ERROR(DicomHeader{file_}, corrupt, "more than 64 elements that do not stand in the order");
  EXPECT_ERROR(DicomFile{file_}, corrupt, "more than 64 elements that do not stand in the order");
}

TEST_F(DicomHeaderOf, WhatIsNoFileIsRefusedAtOnce) {
  EXPECT_ERROR(DicomHeader{folder_ / "missing"}, not_found, "no such file");
  EXPECT_ERROR(DicomHeader{folder_.path()}, io, "not a regular file");
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  EXPECT_ERROR(DicomHeader{folder_ / "pipe"}, io, "not a regular file");
  testing::write_bytes(file_, ByteVector(200, 'x'));
  EXPECT_ERROR(DicomHeader{file_}, corrupt, "not a DICOM file");
}

TEST_F(DicomHeaderOf, PartsOfAFile) {
  ByteVector bytes(1000);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{0});
  testing::write_bytes(file_, bytes);
  const FileReader reader(file_);
  EXPECT_EQ(reader.size(), 1000U);
  ByteVector part(5);
  reader.read_at(258, part);
  EXPECT_EQ(part, (ByteVector{2, 3, 4, 5, 6}));
  std::filesystem::resize_file(file_, 260);
  EXPECT_ERROR(reader.read_at(258, part), io, "cannot be read at byte 260 of 1000");
}

}  // namespace
}  // namespace medretrieval::imaging
