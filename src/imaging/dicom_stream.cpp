#include "imaging/dicom_stream.hpp"

#include <dcmtk/dcmdata/dcerror.h>

#include <algorithm>
#include <cstring>
#include <medretrieval/imaging/load.hpp>

#include "base/concat.hpp"
#include "imaging/inflate.hpp"
#include "imaging/unfolding.hpp"

namespace medretrieval::imaging {

using detail::concat;

namespace {

// DCMTK 3.6.7 parses nested sequences recursively and without a limit. Real files nest a handful of levels;
// this allows hundreds and leaves most of the smallest usual thread stack.
constexpr std::ptrdiff_t kParserStackBytes = 256 * 1024;
// Headers of CT slices have 2 to 8 KiB.
constexpr std::size_t kFileStep = std::size_t{1} << 14;

// DCMTK keeps a few hundred bytes for each element, however short it is. An element takes at least three
// reads.
constexpr std::size_t kMaxReads = 6'000'000;

struct OwnProducer {
  DicomProducer producer;
};

/// The bytes of one value that is read later. They must live until then.
class ValueStream final : private OwnProducer, public DcmInputStream {
 public:
  explicit ValueStream(std::span<const std::uint8_t> bytes)
      : OwnProducer{DicomProducer(bytes)}, DcmInputStream(&producer) {}
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

/// Stands for a value that was passed over: nothing can be read from it.
class NoStreamFactory final : public DcmInputStreamFactory {
 public:
  DcmInputStream* create() const override { return nullptr; }
  DcmInputStreamFactory* clone() const override { return new NoStreamFactory; }
  DcmInputStreamFactoryType ident() const override { return DFT_DcmInputFileStreamFactory; }
};

}  // namespace

bool DicomProducer::is_nested_too_deeply() const {
  const std::ptrdiff_t used = stack_base_ - stack_position();
  return std::max(used, -used) > kParserStackBytes;
}

void DicomProducer::refuse(const Error& error) {
  if (!failure_) failure_ = error;
  status_ = EC_InvalidStream;
}

void DicomProducer::fetch(std::size_t position) {
  if (position >= window_begin_ && position < window_begin_ + window_.size()) return;
  buffer_.resize(std::min(kFileStep, size_ - position));
  file_->read_at(position, buffer_);
  window_ = buffer_;
  window_begin_ = position;
}

// No exception may cross DCMTK's frames.
offile_off_t DicomProducer::read(void* target, offile_off_t count) {
  if (!good()) return 0;
  const auto wanted = static_cast<std::size_t>(std::min(count, avail()));
  try {
    if (is_nested_too_deeply()) {
      throw Error(ErrorCode::limit_exceeded, "DICOM sequences nested more deeply than the parser may go");
    }
    if (++reads_ > kMaxReads) {
      throw Error(ErrorCode::limit_exceeded,
                  concat("a DICOM file of more elements than are read, about ", kMaxReads / 4));
    }
    bytes_read_ += wanted;
    if (bytes_read_ > limit_) {
      throw Error(ErrorCode::limit_exceeded, concat("a DICOM header of more than ", limit_, " bytes"));
    }
    for (std::size_t done = 0; done < wanted;) {
      fetch(position_);
      const auto part = window_.subspan(position_ - window_begin_);
      const std::size_t taken = std::min(part.size(), wanted - done);
      std::memcpy(static_cast<std::uint8_t*>(target) + done, part.data(), taken);
      done += taken;
      position_ += taken;
    }
  } catch (const Error& error) {
    refuse(error);
    return 0;
  }
  return static_cast<offile_off_t>(wanted);
}

offile_off_t DicomProducer::skip(offile_off_t count) {
  const offile_off_t skipped = std::min(count, avail());
  position_ += static_cast<std::size_t>(skipped);
  return skipped;
}

std::array<std::uint8_t, 12> DicomProducer::last_bytes() {
  std::array<std::uint8_t, 12> bytes = {};
  const std::size_t count = std::min(bytes.size(), position_);
  for (std::size_t i = count; i > 0; --i) {
    fetch(position_ - i);
    bytes[bytes.size() - i] = window_[position_ - i - window_begin_];
  }
  return bytes;
}

bool DicomProducer::inflate_rest() {
  try {
    std::vector<std::uint8_t> compressed;
    std::span<const std::uint8_t> deflated = rest_in_memory();
    if (file_ != nullptr) {
      if (rest() > kMaxImageFileBytes) {
        throw Error(ErrorCode::limit_exceeded, concat("a deflated file of ", size_, " bytes; at most ",
                                                      kMaxImageFileBytes, " are read"));
      }
      compressed.resize(rest());
      file_->read_at(position_, compressed);
      deflated = compressed;
    }
    buffer_ = inflate_bytes(deflated, DeflateFormat::raw,
                            std::min(kMaxImageFileBytes, most_unfolded_bytes(deflated.size())));
    window_ = buffer_;
    window_begin_ = position_ = 0;
    size_ = buffer_.size();
    return true;
  } catch (const Error& error) {
    refuse(error);
    return false;
  }
}

DcmInputStreamFactory* DicomStream::newFactory() const {
  if (long_values_ == LongValues::pass_over) return new NoStreamFactory;
  return new ValueFactory(producer_.rest_in_memory());
}

// DCMTK's own filter unfolds without a limit.
OFCondition DicomStream::installCompressionFilter(E_StreamCompression filter) {
  if (filter != ESC_zlib) return EC_IllegalCall;
  return producer_.inflate_rest() ? EC_Normal : EC_InvalidStream;
}

}  // namespace medretrieval::imaging
