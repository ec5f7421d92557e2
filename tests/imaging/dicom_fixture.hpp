// What the tests with DICOM files of their own share.
#pragma once

#include <gtest/gtest.h>

#include <medretrieval/imaging/dicom.hpp>
#include <medretrieval/imaging/load.hpp>

#include "support/dicom_bytes.hpp"
#include "support/expect_error.hpp"
#include "support/test_data.hpp"

namespace medretrieval::imaging {

using testing::ByteVector;
using testing::DicomBytes;
using testing::DicomImageParts;
using testing::kExplicitLittleEndian;

inline constexpr std::uint32_t kWindowCenter = 0x00281050;
inline constexpr std::uint32_t kWindowWidth = 0x00281051;
inline constexpr std::uint32_t kRescaleIntercept = 0x00281052;
inline constexpr std::uint32_t kRescaleSlope = 0x00281053;
inline constexpr std::uint32_t kVoiFunction = 0x00281056;
inline constexpr std::uint32_t kPixelData = 0x7FE00010;

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

}  // namespace medretrieval::imaging
