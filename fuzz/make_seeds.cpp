// Writes the corpus that each fuzz target begins with: FOLDER/<target>/<seed>. Everything in it is SYNTHETIC.
// usage: fuzz_seeds FOLDER
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <medretrieval/imaging/dicom.hpp>
#include <string>

#include "fuzz/tables.hpp"
#include "support/dicom_bytes.hpp"
#include "support/lidc_xml.hpp"
#include "support/make_images.hpp"

using namespace medretrieval;
using namespace medretrieval::testing;
using namespace medretrieval::fuzz;
namespace fs = std::filesystem;

namespace {

class Corpus {
 public:
  explicit Corpus(fs::path folder) : folder_(std::move(folder)) {}

  fs::path file(const std::string& target, const std::string& name) const {
    fs::create_directories(folder_ / target);
    return folder_ / target / name;
  }
  void add(const std::string& target, const std::string& name, std::span<const std::uint8_t> bytes) const {
    write_bytes(file(target, name), bytes);
  }
  void add(const std::string& target, const std::string& name, const std::string& text) const {
    add(target, name, ByteVector(text.begin(), text.end()));
  }

 private:
  fs::path folder_;
};

std::string with_line_ends(std::string_view text, const std::string& end) {
  std::string changed;
  for (const char c : text) changed += c == '\n' ? end : std::string(1, c);
  return changed;
}

/// The table as it is, and with the marks of other programs. `choice` is the byte that a target takes off.
void add_table(const Corpus& corpus, const std::string& target, const std::string& name,
               std::string_view table, const std::string& choice = "") {
  corpus.add(target, name, choice + std::string(table));
  corpus.add(target, name + "-crlf", choice + with_line_ends(table, "\r\n"));
  corpus.add(target, name + "-mark", choice + "\xEF\xBB\xBF" + std::string(table));
}

void add_tables(const Corpus& corpus) {
  add_table(corpus, "chestx_ray14", "entries-2017", kChestEntries2017, "0");
  add_table(corpus, "chestx_ray14", "entries-2020", kChestEntries2020, "0");
  add_table(corpus, "chestx_ray14", "boxes", kChestBoxes, "1");
  add_table(corpus, "chestx_ray14", "training", kChestList, "2");
  add_table(corpus, "chestx_ray14", "test", kChestList, "3");
  for (const char* choice : {"0", "1", "2", "3"}) {
    add_table(corpus, "chexpert", std::string("train-") + choice, kChexpert, choice);
  }
  for (const char* choice : {"0", "1"}) {
    add_table(corpus, "deeplesion", std::string("info-") + choice, kDeepLesion, choice);
  }
  add_table(corpus, "luna16", "nodules", kLunaNodules, "0");
  add_table(corpus, "luna16", "candidates", kLunaCandidates, "1");
  add_table(corpus, "luna16", "patients", kLunaPatients, "2");
  add_table(corpus, "luna16", "scan", kLunaScan, "3");
  add_table(corpus, "manifest", "manifest", kManifest);
  add_table(corpus, "csv", "manifest", kManifest);
  add_table(corpus, "csv", "info", kDeepLesion);
  corpus.add("csv", "line-ends", std::string("a,b\r1,2\n\n\"x\ry\",\"\"\r\n"));
}

void add_meta_images(const Corpus& corpus) {
  const std::string header(kLunaScan);
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string text = header;
    return text.replace(text.find(from), from.size(), to);
  };
  corpus.add("meta_image", "raw", "1" + header);
  std::string local = changed("1.2.raw", "LOCAL");
  corpus.add("meta_image", "local", "0" + local + std::string(320, '\x07'));
  const ByteVector packed = deflated(ByteVector(320, 9));
  local.replace(local.find("CompressedData = False"), 22,
                "CompressedData = True\nCompressedDataSize = " + std::to_string(packed.size()));
  corpus.add("meta_image", "compressed", "0" + local + std::string(packed.begin(), packed.end()));
  corpus.add("meta_image", "flat",
             "0NDims = 2\nDimSize = 3 2\nElementSize = 1 1\nElementType = MET_DOUBLE\n"
             "ElementByteOrderMSB = True\nElementDataFile = LOCAL\n" +
                 std::string(48, '\x01'));
}

DicomImageParts bytes_of_side(std::uint16_t side) {
  DicomImageParts parts;
  parts.rows = parts.columns = side;
  parts.bits_allocated = parts.bits_stored = 8;
  parts.high_bit = 7;
  return parts;
}

void add_dicom_files(const Corpus& corpus) {
  constexpr std::uint32_t kPixelData = 0x7FE00010;
  DicomImageParts parts;
  parts.modality = "CT";
  DicomBytes native = parts.data_set();
  native.text(0x00281050, "DS", "2\\3").text(0x00281051, "DS", "4\\5");
  native.text(0x00281052, "DS", "-1024").text(0x00281053, "DS", "1.5").text(0x00281056, "CS", "SIGMOID");
  native.element(kPixelData, "OW", DicomBytes::words({1, 2, 3, 4}));
  const ByteVector plain = native.file(kExplicitLittleEndian);
  corpus.add("dicom", "native", plain);
  corpus.add("dicom", "no-preamble", std::span(plain).subspan(132));
  ByteVector deflate = DicomBytes().file("1.2.840.10008.1.2.1.99");
  const ByteVector packed = deflated(native.bytes());
  deflate.insert(deflate.end(), packed.begin() + 2, packed.end() - 4);
  corpus.add("dicom", "deflated", deflate);

  parts.frames = "2";
  DicomBytes frames = parts.data_set();
  frames.element(kPixelData, "OW", DicomBytes::words({1, 2, 3, 4, 5, 6, 7, 8}));
  corpus.add("dicom", "frames", frames.file(kExplicitLittleEndian));

  DicomImageParts palette = bytes_of_side(2);
  palette.photometric = "PALETTE COLOR";
  DicomBytes coloured = palette.data_set();
  for (const std::uint32_t table : {1U, 2U, 3U}) coloured.us(0x00281100 + table, {4, 0, 16});
  for (const std::uint32_t table : {1U, 2U, 3U}) {
    coloured.element(0x00281200 + table, "OW", DicomBytes::words({0, 9, 99, 999}));
  }
  coloured.element(kPixelData, "OW", {0, 1, 2, 3});
  corpus.add("dicom", "palette", coloured.file(kExplicitLittleEndian));

  DicomImageParts voi;
  DicomBytes curve;
  curve.us(0x00283002, {4, 0, 16}).element(0x00283006, "OW", DicomBytes::words({0, 10, 20, 30}));
  DicomBytes with_curve = voi.data_set();
  with_curve.sequence(0x00283010, curve).element(kPixelData, "OW", DicomBytes::words({0, 1, 2, 3}));
  corpus.add("dicom", "curve", with_curve.file(kExplicitLittleEndian));

  ByteVector runs(64);
  runs[0] = 1;
  runs[4] = 64;
  runs.insert(runs.end(), {253, 7});
  DicomBytes rle = bytes_of_side(2).data_set();
  corpus.add("dicom", "rle", rle.fragments({runs}).file("1.2.840.10008.1.2.5"));
  const ByteVector jpeg = make_jpeg(8, 8, 1, ByteVector(64, 77));
  DicomBytes baseline = bytes_of_side(8).data_set();
  corpus.add("dicom", "jpeg", baseline.fragments({jpeg}).file("1.2.840.10008.1.2.4.50"));
}

void add_real_codecs(const Corpus& corpus) {
  // A JPEG-LS stream of 2 x 2 samples and a JPEG 2000 main header: enough for a mutator to begin with.
  const ByteVector ls = {0xFF, 0xD8, 0xFF, 0xF7, 0, 11, 8, 0, 2, 0, 2,    1,    1, 0x11, 0,
                         0xFF, 0xDA, 0,    8,    1, 1,  0, 0, 0, 0, 0x7F, 0x80, 0, 0xFF, 0xD9};
  DicomBytes jpeg_ls = bytes_of_side(2).data_set();
  corpus.add("dicom", "jpeg-ls", jpeg_ls.fragments({ls}).file("1.2.840.10008.1.2.4.80"));
  const ByteVector j2k = {
      0xFF, 0x4F, 0xFF, 0x51, 0,    41, 0,  0, 0, 0, 0, 2,  0, 0, 0,    2,    0, 0,    0,    0, 0,
      0,    0,    0,    0,    0,    0,  2,  0, 0, 0, 2, 0,  0, 0, 0,    0,    0, 0,    0,    0, 1,
      7,    1,    1,    0xFF, 0x52, 0,  12, 0, 0, 0, 1, 0,  0, 4, 4,    0,    1, 0xFF, 0x5C, 0, 4,
      0x40, 0x40, 0xFF, 0x90, 0,    10, 0,  0, 0, 0, 0, 15, 0, 1, 0xFF, 0x93, 0, 0xFF, 0xD9, 0};
  DicomBytes jpeg_2000 = bytes_of_side(2).data_set();
  corpus.add("dicom", "jpeg-2000", jpeg_2000.fragments({j2k}).file("1.2.840.10008.1.2.4.90"));
}

std::string annotations() {
  return xml_message(
      xml_reading(xml_nodule("1", xml_ratings(4) + xml_roi("1.9", "-125", xml_square(10, 12, 5)) +
                                      xml_roi("1.10", "-120", {{12, 13}, {13, 13}}, "FALSE")) +
                  xml_nodule("2", xml_roi("", "-125.0", {{20, 21}})) + xml_non_nodule("77", "1.10", 7, 8)) +
      xml_reading(xml_nodule("1", xml_ratings(2) + xml_roi("1.9", "-125", xml_square(11, 12, 5)))));
}

void add_annotations(const Corpus& corpus) {
  const std::string radiograph =
      "<IdriReadMessage><ResponseHeader><CTSeriesInstanceUid>1.2.3</CTSeriesInstanceUid>"
      "<CXRSeriesInstanceUid>1.6</CXRSeriesInstanceUid></ResponseHeader><CXRreadingSession><unblindedRead>"
      "<noduleID>0</noduleID><characteristics><confidence>3</confidence></characteristics>"
      "<roi><imageSOP_UID>1.7</imageSOP_UID><edgeMap><xCoord>1554</xCoord><yCoord>1730</yCoord></edgeMap>"
      "</roi></unblindedRead></CXRreadingSession></IdriReadMessage>";
  corpus.add("lidc_xml", "ct", annotations());
  corpus.add("lidc_xml", "radiograph", radiograph);
  for (const char* choice : {"0", "1", "2"}) {
    corpus.add("lidc_idri", std::string("ct-") + choice, choice + annotations());
  }
  corpus.add("lidc_idri", "radiograph", "0" + radiograph);
}

void add_rasters(const Corpus& corpus) {
  for (const std::uint8_t colour : {std::uint8_t{0}, std::uint8_t{2}, std::uint8_t{4}, std::uint8_t{6}}) {
    PngParts png;
    png.width = png.height = 2;
    png.colour_type = colour;
    png.rows = ByteVector(2 * 2 * (colour / 4 + (colour & 2) + 1U), 99);
    corpus.add("raster", "png-" + std::to_string(colour), make_png(png));
  }
  corpus.add("raster", "jpeg", make_jpeg(8, 8, 1, ByteVector(64, 77)));
  corpus.add("raster", "jpeg-colour", make_jpeg(8, 8, 3, ByteVector(192, 77)));
  corpus.add("raster", "jpeg-progressive", make_jpeg(8, 8, 1, ByteVector(64, 77), true));
  for (const int compression :
       {COMPRESSION_NONE, COMPRESSION_LZW, COMPRESSION_PACKBITS, COMPRESSION_ADOBE_DEFLATE}) {
    TiffParts tiff;
    tiff.width = tiff.height = 4;
    tiff.compression = static_cast<std::uint16_t>(compression);
    tiff.rows = ByteVector(16, 50);
    write_tiff(corpus.file("raster", "tiff-" + std::to_string(compression)), tiff);
    tiff.tiled = true;
    write_tiff(corpus.file("raster", "tiff-tiled-" + std::to_string(compression)), tiff);
  }
}

void add_vectors(const Corpus& corpus) {
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
  header.resize(117, ' ');
  const std::string npy =
      std::string("\x93NUMPY\x01\x00\x76\x00", 10) + header + "\n" + std::string(24, '\0');
  corpus.add("vector_files", "npy", "0" + npy);
  const std::string row = std::string("\x02\x00\x00\x00", 4) + std::string(8, '\0');
  corpus.add("vector_files", "fvecs", "1" + row + row);
  corpus.add("vector_files", "ivecs", "2" + row + row);
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: fuzz_seeds FOLDER\n";
    return 2;
  }
  const Corpus corpus(arguments[1]);
  add_tables(corpus);
  add_meta_images(corpus);
  add_dicom_files(corpus);
  add_real_codecs(corpus);
  add_annotations(corpus);
  add_rasters(corpus);
  add_vectors(corpus);
  return 0;
}
