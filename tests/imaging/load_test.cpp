#include <gtest/gtest.h>

#include <medretrieval/imaging/load.hpp>

#include "support/damage.hpp"
#include "support/expect_error.hpp"
#include "support/make_images.hpp"
#include "support/test_data.hpp"

namespace medretrieval::imaging {
namespace {

using testing::ByteVector;
using testing::make_png;
using testing::TemporaryFolder;
using testing::TiffParts;

float bt601(float red, float green, float blue) {
  return 0.299F * red + 0.587F * green + 0.114F * blue;
}

// A picture that no codec can shorten to nothing: `count` samples of a fixed pattern.
ByteVector pattern(std::size_t count) {
  ByteVector samples(count);
  for (std::size_t i = 0; i < count; ++i) samples[i] = static_cast<std::uint8_t>(i * i * 31 / 7 + i);
  return samples;
}

class LoadRaster : public ::testing::Test {
 protected:
  Image load(const ByteVector& bytes, const LoadOptions& options = {}) {
    testing::write_bytes(file_, bytes);
    return load_image(file_, options);
  }

  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "image";
};

TEST_F(LoadRaster, PngOfEveryKindBecomesGrey) {
  const Image grey = load(make_png({2, 1, 8, 0, {0, 255}, {}}));
  EXPECT_EQ(grey.unit(), PixelUnit::display);
  EXPECT_EQ(grey.at(0, 0), 0.0F);
  EXPECT_EQ(grey.at(1, 0), 1.0F);
  EXPECT_EQ(load(make_png({1, 1, 16, 0, {0x80, 0x01}, {}})).at(0, 0), 32769 / 65535.0F);
  EXPECT_EQ(load(make_png({3, 1, 2, 0, {0b00011011}, {}})).at(2, 0), 2 / 3.0F);
  EXPECT_FLOAT_EQ(load(make_png({1, 1, 8, 4, {200, 51}, {}})).at(0, 0), 200 / 255.0F * 0.2F);
  EXPECT_FLOAT_EQ(load(make_png({1, 1, 8, 2, {10, 200, 30}, {}})).at(0, 0), bt601(10, 200, 30) / 255);
  EXPECT_FLOAT_EQ(load(make_png({1, 1, 16, 2, {1, 2, 3, 4, 5, 6}, {}})).at(0, 0),
                  bt601(258, 772, 1286) / 65535);
  EXPECT_FLOAT_EQ(load(make_png({1, 1, 8, 6, {10, 200, 30, 51}, {}})).at(0, 0),
                  bt601(10, 200, 30) / 255 * 0.2F);
  EXPECT_FLOAT_EQ(load(make_png({1, 1, 8, 3, {1}, {0, 0, 0, 9, 90, 200}})).at(0, 0), bt601(9, 90, 200) / 255);
}

TEST_F(LoadRaster, JpegBecomesItsLuminance) {
  ByteVector red;
  for (int i = 0; i < 16 * 16; ++i) red.insert(red.end(), {220, 20, 40});
  for (const bool progressive : {false, true}) {
    const Image image = load(testing::make_jpeg(16, 16, 3, red, progressive));
    EXPECT_NEAR(image.at(5, 7), bt601(220, 20, 40) / 255, 0.01F);
  }
  EXPECT_NEAR(load(testing::make_jpeg(16, 16, 1, ByteVector(256, 77))).at(3, 3), 77 / 255.0F, 0.005F);
}

TEST_F(LoadRaster, TiffOfEveryKindBecomesGrey) {
  const auto first_pixel = [&](const TiffParts& parts) {
    testing::write_tiff(file_, parts);
    return load_image(file_).at(0, 0);
  };
  TiffParts parts;
  parts.rows = {51};
  EXPECT_FLOAT_EQ(first_pixel(parts), 0.2F);
  parts.photometric = PHOTOMETRIC_MINISWHITE;
  EXPECT_FLOAT_EQ(first_pixel(parts), 0.8F);
  parts.photometric = PHOTOMETRIC_PALETTE;
  for (std::uint16_t channel = 0; channel < 3; ++channel) {
    parts.palette[channel].assign(256, 0);
    parts.palette[channel][51] = static_cast<std::uint16_t>(10000 * (channel + 1));
  }
  EXPECT_FLOAT_EQ(first_pixel(parts), bt601(10000, 20000, 30000) / 65535);
  parts = {};
  parts.bits = 16;
  parts.rows = {0x34, 0x12};
  EXPECT_FLOAT_EQ(first_pixel(parts), 0x1234 / 65535.0F);
  parts = {};
  parts.photometric = PHOTOMETRIC_RGB;
  parts.samples = 4;
  parts.rows = {10, 200, 30, 51};
  EXPECT_FLOAT_EQ(first_pixel(parts), bt601(10, 200, 30) / 255);
  parts.straight_alpha = true;
  EXPECT_FLOAT_EQ(first_pixel(parts), bt601(10, 200, 30) / 255 * 0.2F);
}

TEST_F(LoadRaster, TiffStripsAndTilesHoldTheSamePixels) {
  TiffParts parts;
  parts.width = 40;
  parts.height = 30;
  parts.rows = pattern(40 * 30);
  for (const int compression :
       {COMPRESSION_NONE, COMPRESSION_LZW, COMPRESSION_ADOBE_DEFLATE, COMPRESSION_PACKBITS}) {
    for (const bool tiled : {false, true}) {
      parts.compression = static_cast<std::uint16_t>(compression);
      parts.tiled = tiled;
      testing::write_tiff(file_, parts);
      const Image image = load_image(file_);
      for (std::size_t i = 0; i < parts.rows.size(); ++i) {
        ASSERT_EQ(image.pixels()[i], static_cast<float>(parts.rows[i]) / 255)
            << compression << ' ' << tiled << ' ' << i;
      }
    }
  }
}

TEST_F(LoadRaster, WindowIsInTheFilesOwnUnit) {
  const ByteVector png = make_png({3, 1, 8, 0, {50, 100, 150}, {}});
  LoadOptions options;
  options.window = Window{100, 100};
  const Image image = load(png, options);
  EXPECT_EQ(image.at(0, 0), 0.0F);
  EXPECT_EQ(image.at(1, 0), 0.5F);
  EXPECT_EQ(image.at(2, 0), 1.0F);
  options.window = Window{100, 0};
  EXPECT_ERROR(load(png, options), invalid_argument, "width 0");
}

TEST_F(LoadRaster, HasFrameZeroOnly) {
  LoadOptions options;
  options.frame = 1;
  EXPECT_ERROR(load(make_png({1, 1, 8, 0, {1}, {}}), options), invalid_argument, "frame 1");
}

TEST_F(LoadRaster, RefusesWhatIsNoImageByName) {
  EXPECT_ERROR(load({}), unsupported, file_.string());
  EXPECT_ERROR(load(pattern(1000)), unsupported, "none of PNG");
  EXPECT_ERROR(load_image(folder_ / "absent"), not_found, "absent");
  EXPECT_ERROR(load_image(folder_.path()), io, "not a regular file");
}

TEST_F(LoadRaster, DetectsKindsByContent) {
  const auto kind_of = [&](const ByteVector& bytes) {
    testing::write_bytes(file_, bytes);
    return detect_file_kind(file_);
  };
  EXPECT_EQ(kind_of(make_png({1, 1, 8, 0, {1}, {}})), FileKind::png);
  EXPECT_EQ(kind_of(testing::make_jpeg(8, 8, 1, ByteVector(64))), FileKind::jpeg);
  EXPECT_EQ(kind_of({'I', 'I', '*', 0, 8, 0, 0, 0}), FileKind::tiff);
  const std::string header = "ObjectType = Image\nNDims = 2\n";
  EXPECT_EQ(kind_of({header.begin(), header.end()}), FileKind::meta_image);
  ByteVector dicom(128);
  dicom[0] = dicom[1] = 'I';
  dicom[2] = '*';  // a preamble may be a TIFF header
  dicom.insert(dicom.end(), {'D', 'I', 'C', 'M'});
  EXPECT_EQ(kind_of(dicom), FileKind::dicom);
}

TEST_F(LoadRaster, OversizedHeadersAreRefusedBeforePixelsAreAllocated) {
  EXPECT_ERROR(load(make_png({40000, 1, 8, 0, {}, {}})), limit_exceeded, "40000 x 1");
  EXPECT_ERROR(load(make_png({32768, 32768, 16, 6, {}, {}})), limit_exceeded, "32768 x 32768");
  ByteVector jpeg = testing::make_jpeg(8, 8, 1, ByteVector(64));
  for (std::size_t i = 0; i + 9 < jpeg.size(); ++i) {
    if (jpeg[i] == 0xFF && jpeg[i + 1] == 0xC0) std::fill_n(&jpeg[i + 5], 4, std::uint8_t{0xFE});
  }
  EXPECT_ERROR(load(jpeg), limit_exceeded, "65278");
  EXPECT_ERROR(load(make_png({8192, 8192, 8, 0, {}, {}})), corrupt, "cannot hold");
  TiffParts parts;
  parts.width = 40000;
  parts.rows = ByteVector(40000);
  testing::write_tiff(file_, parts);
  EXPECT_ERROR(load_image(file_), limit_exceeded, "40000 x 1");
}

TEST_F(LoadRaster, JpegsOfCountlessScansAreRefused) {
  // Every coefficient for itself, bit by bit: legal, and each scan goes over the whole image.
  std::vector<jpeg_scan_info> scans = {{1, {0}, 0, 0, 0, 0}};
  for (int coefficient = 1; coefficient < 64; ++coefficient) {
    scans.push_back({1, {0}, coefficient, coefficient, 0, 8});
    for (int bit = 8; bit > 0; --bit) scans.push_back({1, {0}, coefficient, coefficient, bit, bit - 1});
  }
  EXPECT_ERROR(load(testing::make_jpeg(16, 16, 1, pattern(256), false, scans)), limit_exceeded, "scans");
  scans.resize(400);
  EXPECT_EQ(load(testing::make_jpeg(16, 16, 1, pattern(256), false, scans)).width(), 16U);
}

TEST_F(LoadRaster, KindsOfTiffAndJpegThatAreNotReadSaySo) {
  TiffParts parts;
  parts.bits = 1;
  parts.rows = {1};
  testing::write_tiff(file_, parts);
  EXPECT_ERROR(load_image(file_), unsupported, "1 bits");
}

TEST_F(LoadRaster, EveryCutIsRefused) {
  const auto read = [](const auto& file) { load_image(file); };
  const ByteVector samples = pattern(24 * 24 * 3);
  const ByteVector grey = pattern(24 * 24);
  testing::expect_every_cut_is_refused(file_, make_png({24, 24, 8, 2, samples, {}}), read);
  testing::expect_every_cut_is_refused(file_, testing::make_jpeg(24, 24, 3, samples), read);
  testing::expect_every_cut_is_refused(file_, testing::make_jpeg(24, 24, 1, grey, true), read);
  for (const int compression : {COMPRESSION_NONE, COMPRESSION_LZW, COMPRESSION_ADOBE_DEFLATE}) {
    TiffParts parts;
    parts.width = parts.height = 24;
    parts.compression = static_cast<std::uint16_t>(compression);
    parts.rows = grey;
    testing::write_tiff(file_, parts);
    testing::expect_every_cut_is_refused(file_, testing::read_bytes(file_), read);
  }
}

TEST_F(LoadRaster, FlippedBitsDoNoHarm) {
  const auto read = [](const auto& file) {
    const Image image = load_image(file);
    for (const float value : image.pixels()) ASSERT_TRUE(value >= 0 && value <= 1);
  };
  const ByteVector samples = pattern(32 * 32 * 3);
  testing::expect_flipped_bits_do_no_harm(file_, make_png({32, 32, 8, 2, samples, {}}), 1000, read);
  testing::expect_flipped_bits_do_no_harm(file_, testing::make_jpeg(32, 32, 3, samples), 1000, read);
  testing::expect_flipped_bits_do_no_harm(file_, testing::make_jpeg(32, 32, 3, samples, true), 1000, read);
  for (const bool tiled : {false, true}) {
    TiffParts parts;
    parts.width = parts.height = 32;
    parts.compression = COMPRESSION_LZW;
    parts.tiled = tiled;
    parts.rows = pattern(32 * 32);
    testing::write_tiff(file_, parts);
    testing::expect_flipped_bits_do_no_harm(file_, testing::read_bytes(file_), 1000, read);
  }
}

TEST_F(LoadRaster, WrittenPngComesBack) {
  Image image(3, 2, PixelUnit::display);
  image.at(0, 0) = 0.25F;
  image.at(1, 0) = 2;
  image.at(2, 1) = -1;
  for (const int bits : {8, 16}) {
    write_png(image, file_, bits);
    const Image read = load_image(file_);
    EXPECT_NEAR(read.at(0, 0), 0.25F, bits == 8 ? 0.002F : 1e-5F);
    EXPECT_EQ(read.at(1, 0), 1.0F);
    EXPECT_EQ(read.at(2, 1), 0.0F);
    EXPECT_EQ(encode_png(image, bits), testing::read_bytes(file_));
  }
  EXPECT_ERROR(encode_png(image, 12), invalid_argument, "12");
  EXPECT_ERROR(encode_png(Image(), 8), invalid_argument, "non-empty");
  EXPECT_ERROR(encode_png(Image(2, 2, PixelUnit::hounsfield), 8), invalid_argument, "display units");
}

TEST_F(LoadRaster, FailedWriteLeavesNothingBehind) {
  const Image image(2, 2, PixelUnit::display);
  EXPECT_ERROR(write_png(image, folder_ / "absent" / "image.png"), io, "image.png");
  std::filesystem::create_directory(folder_ / "taken.png");
  EXPECT_ERROR(write_png(image, folder_ / "taken.png"), io, "taken.png");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.path()), {}), 1);
}

TEST(LoadRealImages, AreAllReadable) {
  REQUIRE_DATA("cxr_nih14/originals_1024");
  for (const char* folder : {"cxr_nih14/originals_1024", "ct_deeplesion", "cxr_covid/open"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(testing::data_folder() / folder)) {
      const std::string name = entry.path().extension().string();
      if (name != ".png" && name != ".jpg" && name != ".jpeg") continue;
      EXPECT_NO_THROW(load_image(entry.path())) << entry.path();
    }
  }
}

}  // namespace
}  // namespace medretrieval::imaging
