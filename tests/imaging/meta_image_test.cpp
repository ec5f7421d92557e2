#include <gtest/gtest.h>

#include <cmath>
#include <medretrieval/imaging/load.hpp>
#include <medretrieval/imaging/meta_image.hpp>

#include "support/csv_table.hpp"
#include "support/damage.hpp"
#include "support/expect_error.hpp"
#include "support/make_images.hpp"
#include "support/test_data.hpp"

namespace medretrieval::imaging {
namespace {

using testing::ByteVector;

class ReadMetaImage : public ::testing::Test {
 protected:
  static ByteVector bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

  MetaImage read(const std::string& header, const ByteVector& data = {}) {
    ByteVector whole = bytes_of(header);
    whole.insert(whole.end(), data.begin(), data.end());
    testing::write_bytes(file_, whole);
    return read_meta_image(file_);
  }
  /// Two by one by two voxels in the file itself, with further header lines.
  MetaImage read_small(const std::string& type, const ByteVector& data, const std::string& lines = "") {
    return read("ObjectType = Image\nNDims = 3\nDimSize = 2 1 2\n" + lines + "ElementType = " + type +
                    "\nElementDataFile = LOCAL\n",
                data);
  }

  testing::TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "volume.mha";
};

TEST_F(ReadMetaImage, EveryElementTypeInBothByteOrders) {
  const std::vector<float> expected = {1, 2, 3, 258};
  const ByteVector shorts = {1, 0, 2, 0, 3, 0, 2, 1};
  EXPECT_EQ(read_small("MET_SHORT", shorts).voxels, expected);
  EXPECT_EQ(read_small("MET_USHORT", shorts).voxels, expected);
  EXPECT_EQ(read_small("MET_SHORT", {0, 1, 0, 2, 0, 3, 1, 2}, "BinaryDataByteOrderMSB = True\n").voxels,
            expected);
  EXPECT_EQ(read_small("MET_CHAR", {1, 2, 3, 255}).voxels, (std::vector<float>{1, 2, 3, -1}));
  EXPECT_EQ(read_small("MET_UCHAR", {1, 2, 3, 255}).voxels, (std::vector<float>{1, 2, 3, 255}));
  EXPECT_EQ(read_small("MET_INT", {1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 2, 1, 0, 0}).voxels, expected);
  ByteVector doubles(32);
  ByteVector floats(16);
  for (std::size_t i = 0; i < 4; ++i) {
    const auto as_double = std::bit_cast<std::array<std::uint8_t, 8>>(static_cast<double>(expected[i]));
    const auto as_float = std::bit_cast<std::array<std::uint8_t, 4>>(expected[i]);
    std::copy(as_double.begin(), as_double.end(), &doubles[i * 8]);
    std::reverse_copy(as_float.begin(), as_float.end(), &floats[i * 4]);
  }
  EXPECT_EQ(read_small("MET_DOUBLE", doubles).voxels, expected);
  EXPECT_EQ(read_small("MET_FLOAT", floats, "ElementByteOrderMSB = True\n").voxels, expected);
}

TEST_F(ReadMetaImage, GeometryAndSlices) {
  const MetaImage image =
      read_small("MET_UCHAR", {1, 2, 3, 4}, "Offset = -1.5 2 1e2\r\nElementSpacing = 0.5 0.5 2.5\n");
  EXPECT_EQ(image.width, 2U);
  EXPECT_EQ(image.height, 1U);
  EXPECT_EQ(image.depth, 2U);
  EXPECT_EQ(image.origin, (std::array<double, 3>{-1.5, 2, 100}));
  EXPECT_EQ(image.spacing, (std::array<double, 3>{0.5, 0.5, 2.5}));
  EXPECT_EQ(image.slice(1).at(0, 0), 3.0F);
  EXPECT_EQ(image.slice(1).unit(), PixelUnit::stored);
  EXPECT_ERROR(image.slice(2), invalid_argument, "no slice 2");
}

TEST_F(ReadMetaImage, PlacesInSpaceAndBack) {
  const MetaImage straight =
      read_small("MET_UCHAR", {1, 2, 3, 4}, "Offset = -1.5 2 100\nElementSpacing = 0.5 0.25 2.5\n");
  EXPECT_EQ(straight.to_world({2, 4, 2}), (Point3{-0.5, 3, 105}));
  EXPECT_EQ(straight.to_voxel({-0.5, 3, 105}), (Point3{2, 4, 2}));
  const MetaImage flipped =
      read_small("MET_UCHAR", {1, 2, 3, 4},
                 "Offset = 10 20 30\nElementSpacing = 0.5 2 3\nTransformMatrix = -1 0 0 0 -1 0 0 0 1\n");
  EXPECT_EQ(flipped.to_world({4, 2, 1}), (Point3{8, 16, 33}));
  EXPECT_EQ(flipped.to_voxel({8, 16, 33}), (Point3{4, 2, 1}));
  // The first axis points along y, the second along -x.
  const MetaImage turned =
      read_small("MET_UCHAR", {1, 2, 3, 4},
                 "Offset = 10 20 30\nElementSpacing = 0.5 2 3\nTransformMatrix = 0 1 0 -1 0 0 0 0 1\n");
  EXPECT_EQ(turned.to_world({4, 2, 1}), (Point3{6, 22, 33}));
  EXPECT_EQ(turned.to_voxel({6, 22, 33}), (Point3{4, 2, 1}));
}

TEST_F(ReadMetaImage, GeometryThatCannotBeIsRefused) {
  const auto with = [&](const std::string& lines) { return read_small("MET_UCHAR", {1, 2, 3, 4}, lines); };
  EXPECT_ERROR(with("ElementSpacing = 0 1 1\n"), corrupt, "ElementSpacing is 0");
  EXPECT_ERROR(with("ElementSpacing = -1 1 1\n"), corrupt, "ElementSpacing is -1");
  EXPECT_ERROR(with("ElementSpacing = nan 1 1\n"), corrupt, "ElementSpacing");
  EXPECT_ERROR(with("ElementSpacing = inf 1 1\n"), corrupt, "ElementSpacing");
  EXPECT_ERROR(with("Offset = 0 nan 1\n"), corrupt, "Offset");
  EXPECT_ERROR(with("TransformMatrix = 0 0 0 0 0 0 0 0 0\n"), corrupt, "the product 0, expected");
  EXPECT_ERROR(with("TransformMatrix = nan 0 0 0 1 0 0 0 1\n"), corrupt, "right angles");
  // The determinant of this shear is 1.
  EXPECT_ERROR(with("TransformMatrix = 1 0 0 1e308 1 0 0 0 1\n"), corrupt,
               "axes 0 and 1 with the product 1e+308");
  EXPECT_ERROR(with("TransformMatrix = 1 0 0 1\n"), corrupt, "expected 9 numbers");
  EXPECT_ERROR(with("TransformMatrix = 1 0.5 0 0 1 0 0 0 1\n"), corrupt, "at right angles");  // sheared
  EXPECT_ERROR(with("TransformMatrix = 1.2 0 0 0 1 0 0 0 1\n"), corrupt, "directions of length 1");
  EXPECT_NO_THROW(with("TransformMatrix = 0.99999 0 0 0 1 0.0001 0 -0.0001 1\n"));
}

TEST_F(ReadMetaImage, SlicesAreShownAsARadiologistSeesThem) {
  const auto read_cube = [&](const std::string& directions) {
    return read("NDims = 3\nDimSize = 2 2 2\nTransformMatrix = " + directions +
                    "\nElementType = MET_UCHAR\nElementDataFile = LOCAL\n",
                {1, 2, 3, 4, 5, 6, 7, 8});
  };
  const auto level = [&](const std::string& directions, std::size_t x, std::size_t y) {
    read_cube(directions);
    LoadOptions options;
    options.frame = 1;
    options.window = Window{4.5, 9};
    return std::lround(load_image(file_, options).at(x, y) * 9);
  };
  EXPECT_EQ(level("1 0 0 0 1 0 0 0 1", 0, 0), 5);
  EXPECT_EQ(level("-1 0 0 0 1 0 0 0 1", 0, 0), 6);
  EXPECT_EQ(level("1 0 0 0 -1 0 0 0 1", 0, 0), 7);
  EXPECT_EQ(level("-1 0 0 0 -1 0 0 0 1", 0, 0), 8);
  EXPECT_EQ(level("0 1 0 -1 0 0 0 0 1", 0, 0), 5) << "slices that are not axial stay as stored";
  EXPECT_EQ(read_meta_image_slice(file_, 1).at(0, 0), 5.0F);
  const MetaImage turned = read_cube("-1 0 0 0 -1 0 0 0 1");
  EXPECT_EQ(turned.to_shown({0, 0.25, 1}), (Point3{1, 0.75, 1}));
  EXPECT_EQ(turned.to_shown(turned.to_shown({0, 0.25, 1})), (Point3{0, 0.25, 1}));
}

TEST_F(ReadMetaImage, SlicesOfAVolumeThatIsKept) {
  const MetaImage small = read_small("MET_UCHAR", {1, 2, 3, 4});
  const MetaImageSlices local(file_);
  EXPECT_TRUE(local.is_kept_whole());
  EXPECT_EQ(local.header().depth, 2U);
  EXPECT_EQ(local.view(1).at(0, 0), small.slice(1).at(0, 0));
  std::filesystem::remove(file_);
  EXPECT_EQ(local.view(0).at(1, 0), small.slice(0).at(1, 0)) << "read once";
  EXPECT_ERROR(local.view(2), invalid_argument, "no slice 2");
}

TEST_F(ReadMetaImage, HeaderAloneAndOneSlice) {
  const std::string header =
      "NDims = 3\nDimSize = 2 1 2\nElementType = MET_UCHAR\nElementDataFile = voxels.raw\n";
  EXPECT_ERROR(read(header), not_found, "voxels.raw");
  EXPECT_EQ(read_meta_image_header(file_).depth, 2U);
  EXPECT_TRUE(read_meta_image_header(file_).voxels.empty());
  testing::write_bytes(folder_ / "voxels.raw", ByteVector{9, 8, 7, 6});
  EXPECT_EQ(read_meta_image_slice(file_, 1).at(1, 0), 6.0F);
  EXPECT_ERROR(read_meta_image_slice(file_, 2), invalid_argument, "no slice 2; there are 2");
  testing::write_bytes(folder_ / "voxels.raw", ByteVector{9, 8, 7});
  EXPECT_ERROR(read_meta_image_slice(file_, 0), corrupt, "3 bytes");
  const MetaImage local = read_small("MET_UCHAR", {1, 2, 3, 4});
  EXPECT_EQ(read_meta_image_slice(file_, 1).at(0, 0), local.slice(1).at(0, 0));
}

TEST_F(ReadMetaImage, TwoDimensionsAndARawFileBesideIt) {
  testing::write_bytes(folder_ / "voxels.raw", ByteVector{9, 8, 7});
  const std::string header = "NDims = 2\nDimSize = 3 1\nElementType = MET_UCHAR\nElementDataFile = ";
  const MetaImage image = read(header + "voxels.raw");
  EXPECT_EQ(image.depth, 1U);
  EXPECT_EQ(image.voxels, (std::vector<float>{9, 8, 7}));
  EXPECT_ERROR(read(header + "absent.raw"), not_found, "absent.raw");
}

TEST_F(ReadMetaImage, CompressedVoxelsUnfoldToTheStatedSizeAndNoFurther) {
  const ByteVector packed = testing::deflated(ByteVector{1, 2, 3, 4});
  const std::string size = "CompressedDataSize = " + std::to_string(packed.size()) + "\n";
  const std::string compressed = "CompressedData = True\n";
  EXPECT_EQ(read_small("MET_UCHAR", packed, compressed).voxels, (std::vector<float>{1, 2, 3, 4}));
  EXPECT_EQ(read_small("MET_UCHAR", packed, compressed + size).voxels, (std::vector<float>{1, 2, 3, 4}));
  EXPECT_ERROR(read_small("MET_UCHAR", packed, compressed + "CompressedDataSize = 9999\n"), corrupt, "9999");
  EXPECT_ERROR(read_small("MET_UCHAR", testing::deflated(ByteVector(5)), compressed), limit_exceeded,
               "4 bytes");
  EXPECT_ERROR(read_small("MET_UCHAR", testing::deflated(ByteVector(3)), compressed), corrupt, "3 bytes");
  EXPECT_ERROR(read_small("MET_UCHAR", testing::deflated(ByteVector(1 << 24)), compressed), limit_exceeded,
               "4 bytes");
}

TEST_F(ReadMetaImage, WrongSizesAreRefused) {
  EXPECT_ERROR(read_small("MET_SHORT", ByteVector(7)), corrupt, "7 bytes");
  EXPECT_ERROR(read_small("MET_SHORT", ByteVector(9)), corrupt, "9 bytes");
}

TEST_F(ReadMetaImage, HostileHeadersAreRefused) {
  const auto with = [&](const std::string& dimensions, const std::string& sizes, const std::string& data) {
    return read("NDims = " + dimensions + "\nDimSize = " + sizes +
                "\nElementType = MET_UCHAR\nElementDataFile = " + data + "\n");
  };
  EXPECT_ERROR(with("3", "32768 8192 3", "LOCAL"), limit_exceeded, "voxels");
  EXPECT_ERROR(with("3", "32768 8192 18446744073709551615", "LOCAL"), limit_exceeded, "voxels");
  EXPECT_ERROR(with("2", "40000 1", "LOCAL"), limit_exceeded, "40000");
  EXPECT_ERROR(with("2", "0 5", "LOCAL"), limit_exceeded, "0 x 5");
  EXPECT_ERROR(with("2", "-1 5", "LOCAL"), corrupt, "DimSize");
  EXPECT_ERROR(with("2", "5", "LOCAL"), corrupt, "expected 2 numbers");
  EXPECT_ERROR(with("2", "5 5 5", "LOCAL"), corrupt, "expected 2 numbers");
  EXPECT_ERROR(with("2", "5 5x", "LOCAL"), corrupt, "5 5x");
  EXPECT_ERROR(with("4", "1 1 1 1", "LOCAL"), unsupported, "4 dimensions");
  EXPECT_ERROR(with("2", "1 1", "../secret"), unsupported, "../secret");
  EXPECT_ERROR(with("2", "1 1", "a/../../secret"), unsupported, "secret");
  EXPECT_ERROR(with("2", "1 1", "/etc/passwd"), unsupported, "/etc/passwd");
  EXPECT_ERROR(with("2", "1 1", "LIST"), unsupported, "LIST");
  EXPECT_ERROR(with("2", "1 1", "slice%03d.raw 1 9 1"), unsupported, "%03d");
  EXPECT_ERROR(with("2", "1 1", ""), unsupported, "data file");
  EXPECT_ERROR(read("NDims = 2\nNDims = 3\n"), corrupt, "NDims twice");
  EXPECT_ERROR(read("NDims = 2\n"), corrupt, "ElementDataFile");
  EXPECT_ERROR(read("hello\n"), corrupt, "'='");
  EXPECT_ERROR(read("NDims = 2\n" + std::string(100000, 'x')), corrupt, "");
}

TEST_F(ReadMetaImage, FormsThatAreNotReadSaySo) {
  EXPECT_ERROR(read_small("MET_LONG", ByteVector(32)), unsupported, "MET_LONG");
  EXPECT_ERROR(read_small("MET_UCHAR", ByteVector(4), "BinaryData = False\n"), unsupported, "text");
  EXPECT_ERROR(read_small("MET_UCHAR", ByteVector(4), "BinaryData = maybe\n"), corrupt, "maybe");
  EXPECT_ERROR(read_small("MET_UCHAR", ByteVector(8), "ElementNumberOfChannels = 2\n"), unsupported,
               "channels");
  EXPECT_ERROR(read_small("MET_UCHAR", ByteVector(8), "HeaderSize = 4\n"), unsupported, "header of its own");
}

TEST_F(ReadMetaImage, CutsAndFlippedBits) {
  const auto read_file = [](const auto& file) { load_image(file); };
  read_small("MET_UCHAR", testing::deflated(ByteVector{1, 2, 3, 4}), "CompressedData = True\n");
  const ByteVector whole = testing::read_bytes(file_);
  testing::expect_every_cut_is_refused(file_, whole, read_file);
  testing::expect_flipped_bits_do_no_harm(file_, whole, 1000, read_file);
}

TEST_F(ReadMetaImage, LoadShowsASliceInItsOwnRangeOrAWindow) {
  read_small("MET_SHORT", {0, 0, 1, 0, 10, 0, 20, 0});
  LoadOptions options;
  options.frame = 1;
  EXPECT_EQ(load_image(file_, options).at(0, 0), 0.0F);
  EXPECT_EQ(load_image(file_, options).at(1, 0), 1.0F);
  options.window = Window{20, 40};
  EXPECT_EQ(load_image(file_, options).at(1, 0), 0.5F);
  options.frame = 2;
  EXPECT_ERROR(load_image(file_, options), invalid_argument, "no slice 2");
}

TEST_F(ReadMetaImage, NumbersThatAreNoneBecomeBlack) {
  const auto nan = std::bit_cast<std::array<std::uint8_t, 4>>(std::nanf(""));
  ByteVector data(16);
  std::copy(nan.begin(), nan.end(), data.begin());
  data[7] = 0x40;
  read_small("MET_FLOAT", data);
  const Image image = load_image(file_);
  EXPECT_EQ(image.at(0, 0), 0.0F);
}

TEST(RealMetaImages, ElastixVolumesAreRead) {
  REQUIRE_DATA("metaimage/elastix");
  const auto folder = testing::data_folder() / "metaimage" / "elastix";
  const MetaImage lung = read_meta_image(folder / "3DCT_lung.mha");
  EXPECT_EQ(lung.voxels.size(), 115U * 157 * 129);
  EXPECT_EQ(lung.element_type, "MET_SHORT");
  EXPECT_EQ(lung.spacing[2], 2.5);
  EXPECT_EQ(lung.origin[2], -1434.5);
  const auto [low, high] = std::minmax_element(lung.voxels.begin(), lung.voxels.end());
  EXPECT_GE(*low, -2048.0F);
  EXPECT_LE(*high, 4096.0F);
  const MetaImage mask = read_meta_image(folder / "3DCT_lung_baseline_mask.mha");
  EXPECT_TRUE(std::all_of(mask.voxels.begin(), mask.voxels.end(), [](float v) { return v == 0 || v == 1; }));
  const MetaImage square = read_meta_image(folder / "2D_2x2_square_object_at_(1,3).mhd");
  EXPECT_EQ(square.depth, 1U);
  EXPECT_GT(square.slice(0).at(1, 3), 0.0F);
  EXPECT_GT(square.slice(0).at(2, 4), 0.0F);
  EXPECT_EQ(square.slice(0).at(0, 0), 0.0F);
}

TEST(RealMetaImages, SlicesEqualTheDicomSlicesTheyWereMadeFrom) {
  REQUIRE_DATA("metaimage/lidc_as_luna16");
  const std::string series = "1.3.6.1.4.1.14519.5.2.1.6279.6001.179049373636438705059720603192";
  const MetaImage volume =
      read_meta_image(testing::data_folder() / "metaimage" / "lidc_as_luna16" / (series + ".mhd"));
  std::size_t compared = 0;
  for (const auto& row : testing::read_csv_table(testing::data_folder() / "ct_lidc" / "slices.csv")) {
    if (row.at("series_uid") != series) continue;
    const double index = (std::stod(row.at("image_position_z")) - volume.origin[2]) / volume.spacing[2];
    const auto z = static_cast<std::size_t>(std::lround(index));
    if (index < -0.01 || z >= volume.depth) continue;
    const Image slice = volume.slice(z);
    double sum = 0;
    for (const float value : slice.pixels()) sum += value;
    EXPECT_EQ(sum, std::stod(row.at("hu_sum"))) << row.at("path");
    ++compared;
  }
  EXPECT_EQ(compared, volume.depth);
}

}  // namespace
}  // namespace medretrieval::imaging
