#include <gtest/gtest.h>

#include <cstring>
#include <medretrieval/imaging/dicom.hpp>
#include <medretrieval/imaging/load.hpp>
#include <numeric>

#include "support/expect_error.hpp"
#include "support/make_images.hpp"
#include "support/test_data.hpp"

namespace medretrieval::imaging {
namespace {

class WriteDicom : public ::testing::Test {
 protected:
  static DicomTags ct_tags() {
    return {{{"SOPClassUID", "1.2.840.10008.5.1.4.1.1.2"},
             {"SOPInstanceUID", "1.2.3.4"},
             {"StudyInstanceUID", "1.2.3"},
             {"SeriesInstanceUID", "1.2.3.1"},
             {"Modality", "CT"},
             {"PatientID", "phantom-7"},
             {"PatientName", "M\xC3\xBCller^Anna"},
             {"PixelSpacing", "0.7\\0.7"},
             {"RescaleSlope", "1"},
             {"RescaleIntercept", "-1024"},
             {"WindowCenter", "-300"},
             {"WindowWidth", "1800"}}};
  }
  static std::vector<std::int16_t> ramp(std::size_t count) {
    std::vector<std::int16_t> samples(count);
    std::iota(samples.begin(), samples.end(), static_cast<std::int16_t>(-3));
    return samples;
  }

  testing::TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "slice.dcm";
};

TEST_F(WriteDicom, ComesBackAsWritten) {
  const std::vector<std::int16_t> samples = ramp(12);
  write_dicom(file_, samples, 4, 3, ct_tags());
  EXPECT_EQ(detect_file_kind(file_), FileKind::dicom);
  const DicomFile file(file_);
  EXPECT_EQ(file.transfer_syntax_uid(), "1.2.840.10008.1.2.1");
  const StoredSamples stored = file.stored_samples();
  EXPECT_EQ(stored.columns, 4U);
  EXPECT_EQ(stored.rows, 3U);
  EXPECT_TRUE(stored.is_signed);
  ASSERT_EQ(stored.bytes.size(), 24U);
  EXPECT_EQ(std::memcmp(stored.bytes.data(), samples.data(), 24), 0);
  const Image image = file.modality_image();
  EXPECT_EQ(image.unit(), PixelUnit::hounsfield);
  EXPECT_EQ(image.at(0, 0), -1027.0F);
  EXPECT_EQ(file.stated_window()->center, -300);
  for (const auto& [keyword, value] : ct_tags().values) EXPECT_EQ(file.tag(keyword), value) << keyword;
}

TEST_F(WriteDicom, StatesWhatEveryImageMust) {
  write_dicom(file_, ramp(4), 2, 2, {});
  const DicomFile file(file_);
  EXPECT_EQ(file.tag("SOPClassUID"), "1.2.840.10008.5.1.4.1.1.7");
  EXPECT_EQ(file.tag("ConversionType"), "SYN");
  EXPECT_EQ(file.tag("Modality"), "OT");
  for (const char* keyword : {"SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"}) {
    EXPECT_TRUE(file.tag(keyword).starts_with("2.25.")) << keyword;
  }
  write_dicom(folder_ / "other.dcm", ramp(4), 2, 2, {});
  EXPECT_NE(DicomFile(folder_ / "other.dcm").tag("SOPInstanceUID"), file.tag("SOPInstanceUID"));
}

TEST_F(WriteDicom, WithUidsTheBytesRepeat) {
  write_dicom(file_, ramp(6), 3, 2, ct_tags());
  const testing::ByteVector first = testing::read_bytes(file_);
  write_dicom(file_, ramp(6), 3, 2, ct_tags());
  EXPECT_EQ(testing::read_bytes(file_), first);
}

TEST_F(WriteDicom, UnsignedAndInvertedWhenAsked) {
  const std::vector<std::int16_t> samples = {0, 1, 2, 4};
  write_dicom(file_, samples, 2, 2,
              {{{"PixelRepresentation", "0"}, {"PhotometricInterpretation", "MONOCHROME1"}}});
  const DicomFile file(file_);
  EXPECT_FALSE(file.stored_samples().is_signed);
  EXPECT_EQ(file.display_image().at(0, 0), 1.0F);
}

TEST_F(WriteDicom, RefusesWhatDoesNotFitAndWritesNothing) {
  const auto write_with = [&](const std::string& keyword, const std::string& value) {
    write_dicom(file_, ramp(4), 2, 2, {{{keyword, value}}});
  };
  EXPECT_ERROR(write_dicom(file_, ramp(5), 2, 2, {}), invalid_argument, "5 samples");
  EXPECT_ERROR(write_dicom(file_, {}, 0, 0, {}), invalid_argument, "0 x 0");
  EXPECT_ERROR(write_with("PatientWeather", "fine"), invalid_argument, "PatientWeather");
  EXPECT_ERROR(write_with("Rows", "3"), invalid_argument, "Rows");
  EXPECT_ERROR(write_with("TransferSyntaxUID", "1.2"), invalid_argument, "TransferSyntaxUID");
  EXPECT_ERROR(write_with("StudyDate", "yesterday"), invalid_argument, "StudyDate");
  EXPECT_ERROR(write_with("PixelRepresentation", "0"), invalid_argument, "PixelRepresentation");
  EXPECT_ERROR(write_with("PhotometricInterpretation", "RGB"), invalid_argument, "RGB");
  EXPECT_ERROR(write_dicom(folder_ / "absent" / "a.dcm", ramp(4), 2, 2, {}), io, "a.dcm");
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

}  // namespace
}  // namespace medretrieval::imaging
