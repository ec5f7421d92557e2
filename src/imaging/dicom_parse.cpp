#include "imaging/dicom_parse.hpp"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/oflog/oflog.h>

#include <algorithm>
#include <cstring>
#include <medretrieval/imaging/load.hpp>
#include <mutex>
#include <optional>
#include <vector>

#include "base/concat.hpp"
#include "imaging/inflate.hpp"
#include "imaging/unfolding.hpp"

namespace medretrieval::imaging {

using detail::fail;

namespace {

// DCMTK 3.6.7 parses nested sequences recursively and without a limit. Real files nest a handful of levels;
// this allows hundreds and leaves most of the smallest usual thread stack.
constexpr std::ptrdiff_t kParserStackBytes = 256 * 1024;

constexpr Uint32 kLongestValueReadAtOnce = 4096;

// DCMTK keeps a few hundred bytes for each element, however short it is. An element takes at least three
// reads.
constexpr std::size_t kMaxReads = 6'000'000;

/// Serves bytes to DCMTK, and reports an error once the parser has recursed too deeply.
class MemoryProducer final : public DcmProducer {
 public:
  explicit MemoryProducer(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  OFBool good() const override { return status_.good(); }
  OFCondition status() const override { return status_; }
  OFBool eos() override { return position_ == bytes_.size(); }
  offile_off_t avail() override { return static_cast<offile_off_t>(bytes_.size() - position_); }
  offile_off_t read(void* target, offile_off_t count) override {
    if (stack_used() > kParserStackBytes) {
      nested_too_deeply_ = true;
      status_ = EC_InvalidStream;
    }
    if (++reads_ > kMaxReads) status_ = EC_InvalidStream;
    if (!good()) return 0;
    const offile_off_t taken = std::min(count, avail());
    std::memcpy(target, bytes_.data() + position_, static_cast<std::size_t>(taken));
    position_ += static_cast<std::size_t>(taken);
    return taken;
  }
  offile_off_t skip(offile_off_t count) override {
    const offile_off_t skipped = std::min(count, avail());
    position_ += static_cast<std::size_t>(skipped);
    return skipped;
  }
  void putback(offile_off_t count) override { position_ -= static_cast<std::size_t>(count); }

  bool nested_too_deeply() const noexcept { return nested_too_deeply_; }
  bool has_too_many_elements() const noexcept { return reads_ > kMaxReads; }
  std::span<const std::uint8_t> rest() const noexcept { return bytes_.subspan(position_); }
  void continue_with(std::span<const std::uint8_t> bytes) noexcept {
    bytes_ = bytes;
    position_ = 0;
  }
  void refuse() { status_ = EC_InvalidStream; }

 private:
  static const char* stack_position() { return static_cast<const char*>(__builtin_frame_address(0)); }
  std::ptrdiff_t stack_used() const {
    const std::ptrdiff_t used = stack_base_ - stack_position();
    return used < 0 ? -used : used;
  }

  std::span<const std::uint8_t> bytes_;
  std::size_t position_ = 0;
  OFCondition status_ = EC_Normal;
  bool nested_too_deeply_ = false;
  std::size_t reads_ = 0;
  const char* stack_base_ = stack_position();
};

struct OwnProducer {
  MemoryProducer producer;
};

/// The bytes of one value that is read later. They must live until then.
class ValueStream final : private OwnProducer, public DcmInputStream {
 public:
  explicit ValueStream(std::span<const std::uint8_t> bytes)
      : OwnProducer{MemoryProducer(bytes)}, DcmInputStream(&producer) {}
  DcmInputStreamFactory* newFactory() const override { return nullptr; }
};

class ValueFactory final : public DcmInputStreamFactory {
 public:
  explicit ValueFactory(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  DcmInputStream* create() const override { return new ValueStream(bytes_); }
  DcmInputStreamFactory* clone() const override { return new ValueFactory(bytes_); }
  DcmInputStreamFactoryType ident() const override { return DFT_DcmInputFileStreamFactory; }

 private:
  std::span<const std::uint8_t> bytes_;
};

/// A stream over memory. Its factory lets DCMTK skip a long value and come back to it: reading it at once,
/// DCMTK would allocate the stated length, up to 4 GiB, before it looks whether so much is there.
class MemoryStream final : public DcmInputStream {
 public:
  explicit MemoryStream(MemoryProducer& producer) : DcmInputStream(&producer), producer_(producer) {}

  DcmInputStreamFactory* newFactory() const override { return new ValueFactory(producer_.rest()); }

  // DCMTK's own filter unfolds without a limit. No exception may cross DCMTK's frames, so it waits in
  // failure.
  OFCondition installCompressionFilter(E_StreamCompression filter) override {
    if (filter != ESC_zlib) return EC_IllegalCall;
    try {
      inflated_ = inflate_bytes(producer_.rest(), DeflateFormat::raw,
                                std::min(kMaxImageFileBytes, most_unfolded_bytes(producer_.rest().size())));
      producer_.continue_with(inflated_);
      return EC_Normal;
    } catch (const Error& error) {
      failure = error;
      producer_.refuse();
      return EC_InvalidStream;
    }
  }

  std::optional<Error> failure;

 private:
  MemoryProducer& producer_;
  std::vector<std::uint8_t> inflated_;
};

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
  silence_dcmtk();
  if (!dcmDataDict.isDictionaryLoaded()) {
    fail(ErrorCode::unsupported, "DCMTK has no data dictionary (see its environment variable DCMDICTPATH)");
  }
  if (!looks_like_dicom(bytes)) fail(ErrorCode::corrupt, "not a DICOM file");
  MemoryProducer producer(bytes);
  MemoryStream stream(producer);
  auto parsed = std::make_unique<DcmFileFormat>();
  parsed->transferInit();
  OFCondition result = parsed->read(stream, EXS_Unknown, EGL_noChange, kLongestValueReadAtOnce);
  parsed->transferEnd();
  if (stream.failure) throw *stream.failure;
  if (producer.nested_too_deeply()) {
    fail(ErrorCode::limit_exceeded, "DICOM sequences nested more deeply than the parser may go");
  }
  if (producer.has_too_many_elements()) {
    fail(ErrorCode::limit_exceeded, "a DICOM file of more elements than are read, about ", kMaxReads / 4);
  }
  if (result.bad()) fail(ErrorCode::corrupt, "not a whole DICOM file: ", result.text());
  refuse_unknown_syntax(*parsed);
  result = parsed->loadAllDataIntoMemory();
  if (result.bad()) fail(ErrorCode::corrupt, "not a whole DICOM file: ", result.text());
  if (!producer.rest().empty()) {
    fail(ErrorCode::corrupt, "a DICOM file that ends ", producer.rest().size(),
         " bytes before its last byte");
  }
  return parsed;
}

}  // namespace medretrieval::imaging
