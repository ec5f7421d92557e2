#include "imaging/dicom_parse.hpp"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/oflog/oflog.h>

#include <cstring>
#include <mutex>
#include <vector>

#include "base/concat.hpp"
#include "imaging/dicom_stream.hpp"

namespace medretrieval::imaging {

using detail::fail;

namespace {

constexpr Uint32 kLongestValueReadAtOnce = 4096;

bool starts_with_element_of(std::span<const std::uint8_t> head, std::uint8_t group) {
  if (head.size() < 8 || head[0] + head[1] != group || (head[0] != 0 && head[1] != 0)) return false;
  const bool big_endian = head[0] == 0;
  const auto is_upper = [](std::uint8_t c) { return c >= 'A' && c <= 'Z'; };
  if (is_upper(head[4]) && is_upper(head[5])) return true;            // explicit VR
  return !big_endian && head[6] == 0 && head[7] == 0 && head[5] < 2;  // implicit VR, a short first value
}

// DCMTK guesses how to read a file whose transfer syntax it does not know.
void refuse_unknown_syntax(DcmFileFormat& parsed) {
  OFString uid;
  if (parsed.getMetaInfo()->findAndGetOFString(DCM_TransferSyntaxUID, uid).bad() || uid.empty()) return;
  if (DcmXfer(uid.c_str()).getXfer() == EXS_Unknown) {
    fail(ErrorCode::unsupported, "the transfer syntax ", uid, " is not known here");
  }
}

// Elements stored as UN are read as what the dictionary says that they are.
void prepare_dcmtk() {
  silence_dcmtk();
  static std::once_flag once;
  std::call_once(once, [] { dcmEnableUnknownVRConversion.set(OFTrue); });
  if (!dcmDataDict.isDictionaryLoaded()) {
    fail(ErrorCode::unsupported, "DCMTK has no data dictionary (see its environment variable DCMDICTPATH)");
  }
}

void check_result(const DicomProducer& producer, const OFCondition& result, DcmFileFormat& parsed) {
  if (producer.failure()) throw Error(*producer.failure());
  if (result.bad()) fail(ErrorCode::corrupt, "not a whole DICOM file: ", result.text());
  refuse_unknown_syntax(parsed);
}

/// A data set whose elements come in rising order, as PS3.5 section 7.1 wants it. DCMTK looks from the end of
/// its list for the place of a new element, so that many in falling order would take quadratic time. A few
/// are let pass, because there are writers that append what they forgot.
class OrderedDataset final : public DcmDataset {
 public:
  explicit OrderedDataset(DicomProducer& producer) : producer_(&producer) {}
  void parsed() { producer_ = nullptr; }

  OFCondition insert(DcmElement* element, OFBool replace_old = OFFalse,
                     OFBool check_order = OFFalse) override {
    if (producer_ != nullptr && element != nullptr) {
      const DcmTagKey tag = element->getTag();
      if (tag > last_) {
        last_ = tag;
      } else if (++misplaced_ > kMostMisplaced) {
        producer_->refuse(Error(ErrorCode::corrupt,
                                detail::concat("more than ", kMostMisplaced,
                                               " elements that do not stand in the order of their tags")));
        return EC_InvalidStream;
      }
    }
    return DcmDataset::insert(element, replace_old, check_order);
  }

 private:
  static constexpr int kMostMisplaced = 64;

  DicomProducer* producer_;  // while it is parsed
  DcmTagKey last_{0, 0};
  int misplaced_ = 0;
};

/// Reads a data set with `read(file, stream)` from the producer.
template <class Read>
std::unique_ptr<DcmFileFormat> parse_with(DicomProducer& producer, LongValues long_values, const Read& read) {
  DicomStream stream(producer, long_values);
  auto* const dataset = new OrderedDataset(producer);
  auto parsed = std::make_unique<DcmFileFormat>(dataset, OFFalse);
  parsed->transferInit();
  const OFCondition result = read(*parsed, stream);
  parsed->transferEnd();
  dataset->parsed();
  check_result(producer, result, *parsed);
  return parsed;
}

[[noreturn]] void refuse_rest(const DicomProducer& producer) {
  fail(ErrorCode::corrupt, "a DICOM file that ends ", producer.rest(), " bytes before its last byte");
}

/// Tag, as group and element in one number, and length of an element.
struct ElementStart {
  std::uint32_t tag = 0;
  std::uint32_t length = 0;
};

/// The element whose tag and length were read last.
ElementStart last_element_start(DicomProducer& producer, E_TransferSyntax syntax) {
  const DcmXfer xfer(syntax);
  const auto bytes = producer.last_bytes();
  const bool big_endian = xfer.getByteOrder() == EBO_BigEndian;
  const auto number = [&](std::size_t at, std::size_t count) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      value = value << 8 | bytes[big_endian ? at + i : at + count - 1 - i];
    }
    return value;
  };
  const auto tag = [&](std::size_t at) { return number(at, 2) << 16 | number(at + 2, 2); };
  const auto is_upper = [&](std::size_t at) { return bytes[at] >= 'A' && bytes[at] <= 'Z'; };
  if (xfer.isImplicitVR()) return {tag(4), number(8, 4)};
  const bool is_short = is_upper(8) && is_upper(9) && !(is_upper(4) && is_upper(5));
  return is_short ? ElementStart{tag(4), number(10, 2)} : ElementStart{tag(0), number(8, 4)};
}

}  // namespace

bool has_dicom_preamble(std::span<const std::uint8_t> head) noexcept {
  return head.size() >= 132 && std::memcmp(head.data() + 128, "DICM", 4) == 0;
}

bool looks_like_dicom(std::span<const std::uint8_t> head) noexcept {
  return has_dicom_preamble(head) || starts_with_element_of(head, 2) || starts_with_element_of(head, 8);
}

void silence_dcmtk() {
  static std::once_flag once;
  std::call_once(once, [] { OFLog::getLogger("dcmtk").setLogLevel(OFLogger::OFF_LOG_LEVEL); });
}

std::unique_ptr<DcmFileFormat> parse_dicom(std::span<const std::uint8_t> bytes) {
  prepare_dcmtk();
  if (!looks_like_dicom(bytes)) fail(ErrorCode::corrupt, "not a DICOM file");
  DicomProducer producer(bytes);
  auto parsed = parse_with(producer, LongValues::read_later, [](DcmFileFormat& file, DicomStream& stream) {
    return file.read(stream, EXS_Unknown, EGL_noChange, kLongestValueReadAtOnce);
  });
  const OFCondition loaded = parsed->loadAllDataIntoMemory();
  if (loaded.bad()) fail(ErrorCode::corrupt, "not a whole DICOM file: ", loaded.text());
  if (producer.rest() > 0) refuse_rest(producer);
  return parsed;
}

ParsedHeader parse_dicom_header(const FileReader& file) {
  prepare_dcmtk();
  std::vector<std::uint8_t> head(std::min<std::size_t>(file.size(), 132));
  file.read_at(0, head);
  if (!looks_like_dicom(head)) fail(ErrorCode::corrupt, "not a DICOM file");
  DicomProducer producer(file, kMaxDicomHeaderBytes);
  ParsedHeader parsed = {
      parse_with(producer, LongValues::pass_over, [](DcmFileFormat& content, DicomStream& stream) {
        return content.readUntilTag(stream, EXS_Unknown, EGL_noChange, kMaxHeaderValueBytes,
                                    DCM_FloatPixelData);  // the lowest tag of pixels
      })};
  if (producer.rest() == 0) return parsed;
  const ElementStart stop = last_element_start(producer, parsed.content->getDataset()->getOriginalXfer());
  if (stop.tag < 0x7FE00008) refuse_rest(producer);
  if (stop.length != DCM_UndefinedLength && stop.length > producer.rest()) {
    fail(ErrorCode::corrupt, "a value of ", stop.length, " bytes of which the file has ", producer.rest());
  }
  parsed.has_pixels = stop.tag == 0x7FE00010 && stop.length > 0;
  return parsed;
}

}  // namespace medretrieval::imaging
