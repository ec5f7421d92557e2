#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcostrmb.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/ofstd/ofuuid.h>

#include <algorithm>
#include <array>
#include <map>
#include <medretrieval/imaging/dicom.hpp>
#include <sstream>
#include <string_view>
#include <vector>

#include "base/concat.hpp"
#include "imaging/dicom_parse.hpp"
#include "imaging/file_bytes.hpp"

namespace medretrieval::imaging {

using detail::fail;

namespace {

constexpr E_TransferSyntax kSyntax = EXS_LittleEndianExplicit;

// What every image states, empty where the standard allows it (PS3.3 C.7, C.8.6.1).
const std::map<std::string, std::string>& default_values() {
  static const std::map<std::string, std::string> kValues = {
      {"SOPClassUID", UID_SecondaryCaptureImageStorage},
      {"ConversionType", "SYN"},
      {"Modality", "OT"},
      {"PhotometricInterpretation", "MONOCHROME2"},
      {"PixelRepresentation", "1"},
      {"InstanceNumber", "1"},
      {"AccessionNumber", ""},
      {"Laterality", ""},
      {"Manufacturer", ""},
      {"PatientBirthDate", ""},
      {"PatientID", ""},
      {"PatientName", ""},
      {"PatientOrientation", ""},
      {"PatientSex", ""},
      {"ReferringPhysicianName", ""},
      {"SeriesNumber", ""},
      {"StudyDate", ""},
      {"StudyID", ""},
      {"StudyTime", ""}};
  return kValues;
}

// A UID made from a UUID (PS3.5 B.2).
std::string new_uid() {
  std::ostringstream text;
  OFUUID().print(text, OFUUID::ER_RepresentationOID);
  return text.str();
}

DcmTag tag_of(const std::string& keyword) {
  DcmTag tag;
  if (DcmTag::findTagFromName(keyword.c_str(), tag).bad()) {
    fail(ErrorCode::invalid_argument, "\"", keyword, "\" is no keyword of the DICOM dictionary");
  }
  return tag;
}

void require(const OFCondition& result, std::string_view what) {
  if (result.bad()) fail(ErrorCode::invalid_argument, what, ": ", result.text());
}

void put(DcmDataset& dataset, const std::string& keyword, const std::string& value) {
  const DcmTag tag = tag_of(keyword);
  require(dataset.putAndInsertString(tag, value.c_str()), keyword);
  DcmElement* element = nullptr;
  require(dataset.findAndGetElement(tag, element), keyword);
  if (!value.empty())
    require(element->checkValue("1-n"), detail::concat(keyword, " cannot be \"", value, "\""));
}

void refuse_reserved(const DicomTags& tags) {
  static constexpr std::array<std::string_view, 9> kFromSamples = {
      "Rows",           "Columns",   "BitsAllocated",      "BitsStored", "HighBit", "SamplesPerPixel",
      "NumberOfFrames", "PixelData", "PlanarConfiguration"};
  for (const auto& [keyword, value] : tags.values) {
    const bool from_samples =
        std::find(kFromSamples.begin(), kFromSamples.end(), keyword) != kFromSamples.end();
    if (from_samples || tag_of(keyword).getGroup() == 2) {
      fail(ErrorCode::invalid_argument, keyword, " is written by itself and cannot be given");
    }
  }
}

void put_tags(DcmDataset& dataset, const DicomTags& tags) {
  std::map<std::string, std::string> values = tags.values;
  for (const char* keyword : {"SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"}) {
    if (!values.contains(keyword)) values[keyword] = new_uid();
  }
  values.insert(default_values().begin(), default_values().end());
  if (tags.values.contains("SOPClassUID") && !tags.values.contains("ConversionType")) {
    values.erase("ConversionType");  // only Secondary Capture has it
  }
  const bool is_ascii = std::all_of(values.begin(), values.end(), [](const auto& entry) {
    return std::all_of(entry.second.begin(), entry.second.end(), [](char c) { return c >= 0; });
  });
  if (!is_ascii) values.insert({"SpecificCharacterSet", "ISO_IR 192"});
  if (const auto found = values.find("SpecificCharacterSet"); found != values.end()) {
    put(dataset, found->first, found->second);  // first: the other values are checked against it
  }
  for (const auto& [keyword, value] : values) put(dataset, keyword, value);
}

void put_pixels(DcmDataset& dataset, std::span<const std::int16_t> samples, std::size_t columns,
                std::size_t rows) {
  OFString representation;
  OFString photometric;
  dataset.findAndGetOFString(DCM_PixelRepresentation, representation);
  dataset.findAndGetOFString(DCM_PhotometricInterpretation, photometric);
  const bool has_negative = std::any_of(samples.begin(), samples.end(), [](std::int16_t s) { return s < 0; });
  if (representation != "1" && (representation != "0" || has_negative)) {
    fail(ErrorCode::invalid_argument, "PixelRepresentation ", representation, " does not fit the samples");
  }
  if (photometric != "MONOCHROME1" && photometric != "MONOCHROME2") {
    fail(ErrorCode::invalid_argument, "PhotometricInterpretation ", photometric, " is not monochrome");
  }
  put(dataset, "SamplesPerPixel", "1");
  put(dataset, "Rows", std::to_string(rows));
  put(dataset, "Columns", std::to_string(columns));
  put(dataset, "BitsAllocated", "16");
  put(dataset, "BitsStored", "16");
  put(dataset, "HighBit", "15");
  const auto* words = reinterpret_cast<const Uint16*>(samples.data());
  require(dataset.putAndInsertUint16Array(DCM_PixelData, words, static_cast<unsigned long>(samples.size())),
          "PixelData");
}

std::vector<std::uint8_t> serialize(DcmFileFormat& content) {
  std::vector<std::uint8_t> bytes;
  std::vector<std::uint8_t> buffer(std::size_t{1} << 16);
  DcmOutputBufferStream stream(buffer.data(), static_cast<offile_off_t>(buffer.size()));
  content.transferInit();
  OFCondition result = EC_StreamNotifyClient;  // DCMTK's word for a full buffer
  while (result == EC_StreamNotifyClient) {
    result = content.write(stream, kSyntax, EET_ExplicitLength, nullptr);
    void* written = nullptr;
    offile_off_t count = 0;
    stream.flushBuffer(written, count);
    const auto* first = static_cast<const std::uint8_t*>(written);
    bytes.insert(bytes.end(), first, first + count);
  }
  content.transferEnd();
  if (result.bad()) fail(ErrorCode::io, "DCMTK cannot write the data set: ", result.text());
  return bytes;
}

}  // namespace

void write_dicom(const std::filesystem::path& file, std::span<const std::int16_t> samples,
                 std::size_t columns, std::size_t rows, const DicomTags& tags) {
  silence_dcmtk();
  if (columns == 0 || rows == 0 || columns > kMaxImageSide || rows > kMaxImageSide ||
      samples.size() != columns * rows) {
    fail(ErrorCode::invalid_argument, "a DICOM image of ", columns, " x ", rows, " from ", samples.size(),
         " samples; sides of 1 to ", kMaxImageSide, " are written");
  }
  refuse_reserved(tags);
  DcmFileFormat content;
  put_tags(*content.getDataset(), tags);
  put_pixels(*content.getDataset(), samples, columns, rows);
  require(content.validateMetaInfo(kSyntax), "the file meta information");
  write_file(file, serialize(content));
}

}  // namespace medretrieval::imaging
