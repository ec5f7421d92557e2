// Files that are made to hurt, each read in a process of its own that may take 2 s and 1 GiB: they are
// refused with an Error, or read within that.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <functional>
#include <iomanip>
#include <iostream>
#include <medretrieval/error.hpp>
#include <medretrieval/imaging/lidc.hpp>
#include <sstream>

#include "hostile/hostile_files.hpp"
#include "support/lidc_xml.hpp"
#include "support/test_data.hpp"

namespace medretrieval {
namespace {

using namespace testing;  // NOLINT: the pieces of files

struct Case {
  std::string name;
  std::string reader;  ///< as hostile_probe takes it
  std::string file;    ///< its name, where the reader looks at that
  std::function<ByteVector()> bytes;
  std::string refused = {};  ///< part of the message; empty: it is read
};

constexpr const char* kRle = "1.2.840.10008.1.2.5";
constexpr const char* kJpeg = "1.2.840.10008.1.2.4.50";
constexpr const char* kProgressive = "1.2.840.10008.1.2.4.55";
constexpr const char* kJpeg2000 = "1.2.840.10008.1.2.4.91";
/// The largest blank image that is read, 2^24 pixels, and one above.
constexpr std::uint32_t kSide = 4096;
constexpr std::uint32_t kTooLong = 8192;

ByteVector tiff(std::uint32_t side, bool tiled) {
  const TemporaryFolder folder;
  TiffParts parts;
  parts.width = parts.height = side;
  parts.bits = 16;
  parts.compression = COMPRESSION_ADOBE_DEFLATE;
  parts.tiled = tiled;
  parts.rows = ByteVector(std::size_t{side} * side * 2);
  write_tiff(folder / "a.tif", parts);
  return read_bytes(folder / "a.tif");
}

std::vector<Case> images() {
  const auto jpeg = [](std::uint32_t side) {
    return make_jpeg(side, side, 1, ByteVector(std::size_t{side} * side, 128));
  };
  return {
      {"PNG, RGBA of 16 bits, 4096 x 4096", "image", "a", [] { return blank_png(kSide, false); }},
      {"PNG, the same in seven passes", "image", "a", [] { return blank_png(kSide, true); }},
      {"PNG, 8192 x 8192", "image", "a", [] { return blank_png(kTooLong, false); }, "67108864 pixels in"},
      {"PNG, 900 texts of 7 MB", "image", "a", [] { return blank_png(8, false, png_texts(900, 7'000'000)); }},
      {"JPEG, 4096 x 4096", "image", "a", [=] { return jpeg(kSide); }},
      {"JPEG, 8192 x 8192", "image", "a", [=] { return jpeg(kTooLong); }, "67108864 pixels in"},
      {"JPEG, 4096 x 4096, 60 scans", "image", "a", [] { return blank_jpeg_of_scans(kSide, 60); }},
      {"JPEG, 4096 x 4096, 100 scans", "image", "a", [] { return blank_jpeg_of_scans(kSide, 100); },
       "more than 64 scans"},
      {"TIFF, deflated, 4096 x 4096", "image", "a", [] { return tiff(kSide, false); }},
      {"PNG, RGBA of 16 bits, 8192 x 8192 and 9 MB of text", "image", "a",
       [] {
         ByteVector text;
         append_png_chunk(text, "tEXt", ByteVector(9'000'000, 'a'));
         return blank_png(kTooLong, true, text);
       },
       "samples of 536870912 bytes"},
      {"TIFF, deflated, 8192 x 8192", "image", "a", [] { return tiff(kTooLong, false); },
       "67108864 pixels in"},
  };
}

std::vector<Case> dicom_images() {
  const auto j2k = [](const Jpeg2000Parts& parts) {
    return dicom_of(dicom_image(parts.side, parts.components == 3 ? 3 : 1), blank_jpeg_2000(parts),
                    kJpeg2000);
  };
  return {
      {"DICOM, RLE, 8192 x 8192 in 1 MiB", "image", "a",
       [] { return dicom_of(dicom_image(kTooLong), blank_rle(kTooLong), kRle); }},
      {"DICOM, RLE, 8192 x 8192, 3 colours of 16 bits", "image", "a",
       [] {
         DicomImageParts parts = dicom_image(kTooLong, 3);
         parts.bits_allocated = parts.bits_stored = 16;
         parts.high_bit = 15;
         return dicom_of(parts, blank_rle(kTooLong, 6), kRle);
       }},
      {"DICOM, RLE, 8192 x 8192, 3 colours of 32 bits", "image", "a",
       [] {
         DicomImageParts parts = dicom_image(kTooLong, 3);
         parts.bits_allocated = parts.bits_stored = 32;
         parts.high_bit = 31;
         return dicom_of(parts, blank_rle(8, 12), kRle);
       },
       "805306368 bytes"},
      {"DICOM, RLE, 8192 x 8192 in 64 bytes", "image", "a",
       [] { return dicom_of(dicom_image(kTooLong), blank_rle(0), kRle); }, "67108864 pixels in"},
      {"DICOM, JPEG, 4096 x 4096, 3 colours", "image", "a",
       [] {
         return dicom_of(dicom_image(kSide, 3),
                         make_jpeg(kSide, kSide, 3, ByteVector(3ULL * kSide * kSide, 128)), kJpeg);
       }},
      {"DICOM, JPEG, 4096 x 4096, 100 scans", "image", "a",
       [] { return dicom_of(dicom_image(kSide), blank_jpeg_of_scans(kSide, 100), kProgressive); },
       "100 scans"},
      {"DICOM, JPEG, 4096 x 4096, 60 scans", "image", "a",
       [] { return dicom_of(dicom_image(kSide), blank_jpeg_of_scans(kSide, 60), kProgressive); }},
      {"DICOM, JPEG 2000, 4096 x 4096", "image", "a", [=] { return j2k({.side = kSide}); }},
      {"DICOM, JPEG 2000, 4096 x 4096, 3 colours", "image", "a",
       [=] { return j2k({.side = kSide, .components = 3}); }, "coding passes"},
      {"DICOM, JPEG 2000, 4096 x 4096, 88 passes a byte", "image", "a",
       [] { return dicom_of(dicom_image(kSide), jpeg_2000_of_many_passes(kSide), kJpeg2000); },
       "coding passes"},
      {"DICOM, JPEG 2000, 8192 x 8192", "image", "a", [=] { return j2k({.side = kTooLong}); },
       "67108864 pixels in"},
      {"DICOM, JPEG 2000, 1024 x 1024, 88 passes a byte", "image", "a",
       [] { return dicom_of(dicom_image(1024), jpeg_2000_of_many_passes(1024), kJpeg2000); }},
      {"DICOM, JPEG 2000, 16384 components", "image", "a",
       [=] { return j2k({.side = 64, .components = 16384}); }, "16384 components"},
      {"DICOM, JPEG 2000, 65536 tiles", "image", "a", [=] { return j2k({.side = 2048, .tile = 8}); },
       "65536 tiles"},
      {"DICOM, JPEG 2000, precincts of one sample", "image", "a",
       [=] { return j2k({.side = kSide, .precinct = 0}); }, "precincts"},
      {"DICOM, JPEG 2000, code blocks of 4 x 4", "image", "a",
       [=] { return j2k({.side = kSide, .components = 3, .block = 0}); }, "code blocks"},
      {"DICOM, JPEG 2000, 65535 layers", "image", "a",
       [=] { return j2k({.side = kSide, .layers = 65535, .precinct = 8}); }, "packets"},
  };
}

ByteVector deflated_pixels(std::size_t count) {
  return deflated_dicom(
      dicom_image(kTooLong).data_set().element(0x7FE00010, "OW", ByteVector(count)).bytes());
}

std::vector<Case> dicom_structures() {
  return {
      {"DICOM, deflated, 8192 x 8192", "image", "a", [] { return deflated_pixels(1U << 26); },
       "67108864 pixels in"},
      {"DICOM, deflated, 200 MB", "image", "a", [] { return deflated_pixels(200'000'000); },
       "more than 134217728 bytes"},
      {"DICOM, deflated, 4 million empty elements", "image", "a",
       [] { return deflated_dicom(empty_elements(4'000'000)); }, "more elements"},
      {"DICOM, deflated, 500,000 empty elements", "image", "a",
       [] { return deflated_dicom(empty_elements(500'000)); }, "without pixel data"},
      {"DICOM, a value of 4 GB in 8 bytes", "image", "a",
       [] {
         ByteVector file = DicomBytes().text(0x00080060, "CS", "OT").file(kExplicitLittleEndian);
         file.insert(file.end(), {0xE0, 0x7F, 0x10, 0x00, 'O', 'W', 0, 0, 0xF0, 0xFF, 0xFF, 0xFF, 1, 2});
         return file;
       },
       "not a whole DICOM file"},
      {"DICOM, deflated, 3 million empty items", "image", "a",
       [] { return deflated_dicom(empty_items(3'000'000)); }, "more elements"},
      {"DICOM, single bits, 8192 x 8192", "image", "a",
       [] {
         DicomImageParts parts = dicom_image(kTooLong);
         parts.bits_allocated = parts.bits_stored = 1;
         parts.high_bit = 0;
         return parts.data_set().element(0x7FE00010, "OB", ByteVector(1U << 23)).file(kExplicitLittleEndian);
       }},
      {"DICOM, 2 billion frames", "image", "a",
       [] {
         DicomImageParts parts = dicom_image(2);
         parts.frames = "2000000000";
         return dicom_of(parts, blank_rle(2), kRle);
       },
       "where 2000000000 frames"},
  };
}

std::string chain(const std::string& part, std::size_t count) {
  std::string text;
  text.reserve(part.size() * count);
  for (std::size_t i = 0; i < count; ++i) text += part;
  return text;
}

std::vector<Case> texts() {
  const auto xml = [](const std::string& inside) {
    return text_bytes("<LidcReadMessage>" + inside + "</LidcReadMessage>");
  };
  return {
      {"XML, entities of entities", "lidc", "a.xml",
       [=] {
         return text_bytes(
             "<!DOCTYPE m [<!ENTITY a \"aaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;\"><!ENTITY c "
             "\"&b;&b;&b;&b;&b;\">]><LidcReadMessage>&c;&c;</LidcReadMessage>");
       },
       "document type"},
      {"XML, 4 million empty elements", "lidc", "a.xml", [=] { return xml(chain("<a/>", 4'000'000)); },
       "ResponseHeader"},
      {"XML, 5 million elements, none closed", "lidc", "a.xml", [=] { return xml(chain("<a>", 5'500'000)); },
       "not a whole XML document"},
      {"XML, an outline of 200,000 points", "lidc", "a.xml",
       [] {
         const std::string point = "<edgeMap><xCoord>9</xCoord><yCoord>9</yCoord></edgeMap>\n";
         return text_bytes(xml_message(xml_reading(
             xml_nodule("1", "<roi><imageZposition>1</imageZposition>" + chain(point, 200'000) + "</roi>"))));
       }},
      {"CSV, a record of 200 MB", "manifest", "manifest.csv",
       [] { return text_bytes("path,\"" + chain("a,", 100'000'000)); }, "a quote that is not closed"},
      {"CSV, 1 million columns", "manifest", "manifest.csv",
       [] { return text_bytes("path" + chain(",", 1'000'000) + "\n"); }, "is there twice"},
      {"table, a line of 200 MB", "chexpert", "train.csv",
       [] { return text_bytes(chain("Path,", 40'000'000)); }, "has more than 1048576 bytes"},
      {"table, one quote of 200 MB", "deeplesion", "DL_info.csv",
       [] { return text_bytes("\"" + chain("a\r\n", 66'000'000)); }, "has more than 1048576 bytes"},
      {"table, 260 MiB of nothing", "chestx-ray14", "Data_Entry_2017.csv",
       [] { return ByteVector(260U << 20, '\n'); }, "at most 268435456"},
      {"table of boxes, packed, 4 MiB of rows", "boxes", "a.gz",
       [] {
         const std::string head = "Image Index,Finding Label,Bbox [x,y,w,h]\n";
         const std::string row = "a,Mass,0,0,1,1\n";
         return packed_by_gzip(
             text_bytes(head + chain(row, ((std::size_t{1} << 22) - head.size()) / row.size())));
       }},
      {"table of boxes, packed, 256 MiB of nothing", "boxes", "a.gz",
       [] { return packed_by_gzip(ByteVector(1U << 28, '\n')); }, "more than 4194304 bytes"},
  };
}

std::vector<Case> volumes() {
  return {
      {"MetaImage, 10^9 slices", "volume", "a.mha",
       [] {
         return text_bytes(
             "NDims = 3\nDimSize = 512 512 1000000000\nElementType = MET_SHORT\nElementDataFile = LOCAL\n");
       },
       "512 x 512 x 1000000000"},
      {"MetaImage, sizes whose product wraps", "volume", "a.mha",
       [] {
         return text_bytes(
             "NDims = 3\nDimSize = 4294967296 4294967296 1\nElementType = MET_SHORT\nElementDataFile = "
             "LOCAL\n");
       },
       "4294967296 x 4294967296"},
      {"MetaImage, 2^29 voxels in 14 bytes", "volume", "a.mha",
       [] {
         return text_bytes(
             "NDims = 3\nDimSize = 1024 1024 512\nElementType = MET_UCHAR\nElementDataFile = "
             "LOCAL\nxxxxxxxxxxxxxx");
       },
       "data of 14 bytes"},
      {"MetaImage, compressed, 128 MiB of bytes", "volume", "a.mha",
       [] { return compressed_volume("512 512 512", "MET_UCHAR", 1U << 27); }},
      {"MetaImage, compressed, 256 MiB stated", "volume", "a.mha",
       [] { return compressed_volume("512 512 1024", "MET_UCHAR", 1U << 28); }, "268435456 are stated"},
      {"MetaImage, compressed, more than stated", "volume", "a.mha",
       [] { return compressed_volume("8 8 8", "MET_UCHAR", 1U << 28); }, "more than 512 bytes"},
  };
}

class Hostile : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { std::cout << "seconds   MiB  bytes of the file\n"; }
  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "sanitizers take more memory and time than the limits allow";
#endif
  }

  void check(const std::vector<Case>& cases) {
    for (const Case& one : cases) check(one);
  }

 private:
  void check(const Case& one) {
    SCOPED_TRACE(one.name);
    const auto file = folder_ / one.file;
    const ByteVector bytes = one.bytes();
    write_bytes(file, bytes);
    double seconds = 0;
    std::size_t memory = 0;
    std::string outcome;
    std::istringstream line(
        output_of("'" MEDRETRIEVAL_HOSTILE_PROBE "' " + one.reader + " '" + file.string() + "'"));
    line >> seconds >> memory;
    std::getline(line >> std::ws, outcome);
    std::cout << std::fixed << std::setprecision(2) << std::setw(7) << seconds << std::setw(6) << memory
              << "  " << std::setw(9) << bytes.size() << "  " << one.name << ": " << outcome.substr(0, 150)
              << "\n";
    std::filesystem::remove(file);
    if (one.refused.empty()) {
      EXPECT_EQ(outcome, "read");
    } else {
      EXPECT_TRUE(outcome.starts_with("refused")) << outcome;
      EXPECT_NE(outcome.find(one.refused), std::string::npos) << outcome;
    }
  }

  /// What a command printed; it must have ended by itself and well.
  static std::string output_of(const std::string& command) {
    std::FILE* pipe = popen(command.c_str(), "r");
    if (pipe == nullptr) throw std::runtime_error("cannot run " + command);
    std::string text;
    std::array<char, 4096> block{};
    while (const std::size_t count = std::fread(block.data(), 1, block.size(), pipe))
      text.append(block.data(), count);
    const int status = pclose(pipe);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0)
        << "ended with status " << status << " (137, 152: killed)";
    return text;
  }

  TemporaryFolder folder_;
};

TEST_F(Hostile, Images) {
  check(images());
}
TEST_F(Hostile, DicomImages) {
  check(dicom_images());
}
TEST_F(Hostile, DicomStructures) {
  check(dicom_structures());
}
TEST_F(Hostile, Texts) {
  check(texts());
}
TEST_F(Hostile, Volumes) {
  check(volumes());
}

}  // namespace
}  // namespace medretrieval
