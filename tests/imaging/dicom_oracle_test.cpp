// Every file of shared/data/dicom against what two other decoders read (expected.csv).
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <medretrieval/imaging/dicom.hpp>
#include <medretrieval/imaging/load.hpp>
#include <set>
#include <sstream>

#include "support/csv_table.hpp"
#include "support/damage.hpp"
#include "support/dicom_bytes.hpp"
#include "support/expect_error.hpp"
#include "support/sha256.hpp"
#include "support/test_data.hpp"

namespace medretrieval::imaging {
namespace {

using testing::CsvRow;

std::vector<CsvRow> expected_files() {
  const auto table = testing::data_folder() / "dicom" / "expected.csv";
  if (!std::filesystem::exists(table)) return {};
  return testing::read_csv_table(table);
}

std::string shape_of(const StoredSamples& samples, std::size_t frames) {
  std::ostringstream shape;
  if (frames > 1) shape << frames << 'x';
  shape << samples.rows << 'x' << samples.columns;
  if (samples.samples_per_pixel > 1) shape << 'x' << samples.samples_per_pixel;
  return shape.str();
}

struct Statistics {
  std::int64_t low = INT64_MAX;
  std::int64_t high = INT64_MIN;
  std::int64_t sum = 0;
};

void add_samples(const StoredSamples& samples, Statistics& statistics) {
  const auto size = static_cast<std::size_t>(samples.bits / 8);
  for (std::size_t at = 0; at < samples.bytes.size(); at += size) {
    std::uint64_t raw = 0;
    std::memcpy(&raw, &samples.bytes[at], size);
    auto value = static_cast<std::int64_t>(raw);
    if (samples.is_signed && (raw >> (samples.bits - 1)) != 0) value -= std::int64_t{1} << samples.bits;
    statistics.low = std::min(statistics.low, value);
    statistics.high = std::max(statistics.high, value);
    statistics.sum += value;
  }
}

class DicomOracle : public ::testing::TestWithParam<CsvRow> {
 protected:
  std::filesystem::path file() const { return testing::data_folder() / "dicom" / GetParam().at("path"); }
};

TEST_P(DicomOracle, SamplesEqualThoseOfOtherDecoders) {
  const CsvRow& expected = GetParam();
  const DicomFile file(this->file());
  std::vector<std::uint8_t> all;
  Statistics statistics;
  StoredSamples samples;
  for (std::size_t frame = 0; frame < file.frame_count(); ++frame) {
    samples = file.stored_samples(frame);
    all.insert(all.end(), samples.bytes.begin(), samples.bytes.end());
    add_samples(samples, statistics);
  }
  EXPECT_EQ(shape_of(samples, file.frame_count()), expected.at("shape"));
  EXPECT_EQ(std::to_string(statistics.low), expected.at("min"));
  EXPECT_EQ(std::to_string(statistics.high), expected.at("max"));
  EXPECT_EQ(std::to_string(statistics.sum), expected.at("sum"));
  EXPECT_EQ(testing::sha256(all), expected.at("sha256_le"));
  if (!expected.at("transfer_syntax_uid").empty()) {
    EXPECT_EQ(file.transfer_syntax_uid(), expected.at("transfer_syntax_uid"));
  }
}

// Files that another decoder made something of, and that are refused here: the first is cut; in the second
// the codestream's size was overwritten to test parsers; the third is not parsable behind its pixel data.
const std::set<std::string> kRefused = {"broken_derived/CT_small_cut_last_byte.dcm",
                                        "pydicom_test_files/JPEG2000-embedded-sequence-delimiter.dcm",
                                        "pydicom_test_files/SC_rgb_jpeg.dcm"};
// pydicom does not exchange the bytes of big-endian OW words, and reads other pixels than from the same image
// in little endian.
const std::string kMisreadByPydicom = "pydicom_test_files/SC_rgb_small_odd_big_endian.dcm";

std::vector<CsvRow> files_where(bool decodable) {
  std::vector<CsvRow> rows = expected_files();
  std::erase_if(rows, [&](const CsvRow& row) {
    const bool decoded = !row.at("trust").empty() && !kRefused.contains(row.at("path"));
    return decoded != decodable || row.at("path") == kMisreadByPydicom;
  });
  return rows;
}

std::string test_name(const ::testing::TestParamInfo<CsvRow>& info) {
  std::string name = info.param.at("path");
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  return name + "_" + std::to_string(info.index);
}

INSTANTIATE_TEST_SUITE_P(Files, DicomOracle, ::testing::ValuesIn(files_where(true)), test_name);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(DicomOracle);

class DicomWithoutImage : public DicomOracle {};

TEST_P(DicomWithoutImage, IsRefusedQuietly) {
  ::testing::internal::CaptureStderr();
  EXPECT_THROW(load_image(file()), Error);
  const bool opens = GetParam().at("decoded") == "no pixel data" &&
                     GetParam().at("source") != "broken_derived" &&
                     GetParam().at("path") != "pydicom_test_files/rtplan_truncated.dcm";
  if (opens) {
    const DicomFile opened(file());
    EXPECT_FALSE(opened.has_pixels());
    EXPECT_ERROR(opened.stored_samples(), not_found, "without pixel data");
    EXPECT_EQ(opened.tag("Modality"), GetParam().at("modality"));
  }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

INSTANTIATE_TEST_SUITE_P(Files, DicomWithoutImage, ::testing::ValuesIn(files_where(false)), test_name);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(DicomWithoutImage);

TEST(DicomFiles, BigEndianWordsHoldTheSamePixels) {
  REQUIRE_DATA("dicom/pydicom_test_files");
  const auto folder = testing::data_folder() / "dicom" / "pydicom_test_files";
  EXPECT_EQ(DicomFile(testing::data_folder() / "dicom" / kMisreadByPydicom).stored_samples().bytes,
            DicomFile(folder / "SC_rgb_small_odd.dcm").stored_samples().bytes);
}

// One small file of every compression.
constexpr std::array kCompressed = {"pydicom_test_files/MR_small_RLE.dcm",
                                    "pydicom_test_files/MR_small_jp2klossless.dcm",
                                    "pydicom_test_files/JPEG2000.dcm",
                                    "pydicom_test_files/MR_small_jpeg_ls_lossless.dcm",
                                    "pydicom_test_files/JPEGLSNearLossless_08.dcm",
                                    "pydicom_test_files/SC_rgb_jls_lossy_line.dcm",
                                    "pydicom_test_files/JPGExtended.dcm",
                                    "pydicom_test_files/SC_rgb_jpeg_gdcm.dcm",
                                    "pydicom_test_files/SC_rgb_jpeg_dcmtk.dcm",
                                    "nema_wg04/MR3_JPLL.dcm"};

// The frame data of a compressed file, cut at many places, its items' lengths kept right.
TEST(DicomFiles, CutCompressedFramesAreRefused) {
  REQUIRE_DATA("dicom/pydicom_test_files");
  const auto folder = testing::data_folder() / "dicom";
  const testing::TemporaryFolder temporary;
  for (const char* name : kCompressed) {
    const testing::ByteVector whole = testing::read_bytes(folder / name);
    const DicomFile file(folder / name);
    const testing::ByteVector item = {0xFE, 0xFF, 0x00, 0xE0};
    const testing::ByteVector pixels = {0xE0, 0x7F, 0x10, 0x00, 'O'};
    const auto element = std::search(whole.begin(), whole.end(), pixels.begin(), pixels.end());
    const auto table = std::search(element, whole.end(), item.begin(), item.end());
    const auto frame = std::search(table + 4, whole.end(), item.begin(), item.end()) + 8;
    const auto length =
        static_cast<std::size_t>(frame[-4] | frame[-3] << 8 | frame[-2] << 16 | frame[-1] << 24);
    std::vector<std::size_t> accepted;
    for (std::size_t kept = 2; kept + 2 < length; kept += 2 * (1 + length / 400)) {
      testing::ByteVector cut(whole.begin(), frame + static_cast<std::ptrdiff_t>(kept));
      const testing::ByteVector size = testing::DicomBytes::four_bytes(kept);
      std::copy(size.begin(), size.end(), cut.end() - static_cast<std::ptrdiff_t>(kept) - 4);
      cut.insert(cut.end(), {0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0});
      testing::write_bytes(temporary / "cut.dcm", cut);
      try {
        DicomFile(temporary / "cut.dcm").stored_samples();
        accepted.push_back(kept);
      } catch (const Error&) {
      }
    }
    EXPECT_THAT(accepted, ::testing::IsEmpty()) << name << ", " << length;
  }
}

TEST(DicomFiles, FlippedBitsInCompressedFilesDoNoHarm) {
  REQUIRE_DATA("dicom/pydicom_test_files");
  const testing::TemporaryFolder temporary;
  for (const char* name : kCompressed) {
    const testing::ByteVector whole = testing::read_bytes(testing::data_folder() / "dicom" / name);
    testing::expect_flipped_bits_do_no_harm(temporary / "flipped.dcm", whole, 200,
                                            [](const auto& file) { DicomFile(file).stored_samples(); });
  }
}

}  // namespace
}  // namespace medretrieval::imaging
