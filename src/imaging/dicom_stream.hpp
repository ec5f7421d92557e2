// Bytes of memory or of a file as DCMTK's parser takes them, with the limits that DCMTK does not set itself.
#pragma once

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcistrma.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <medretrieval/error.hpp>
#include <optional>
#include <span>
#include <vector>

#include "imaging/file_bytes.hpp"

namespace medretrieval::imaging {

/// Serves bytes; those of a file are read when they are asked for. Reports an error to the parser, and keeps
/// the reason, once the parser has recursed too deeply or a limit is passed. Its end of the stack is where it
/// was made, so it is made in the function that parses.
class DicomProducer final : public DcmProducer {
 public:
  explicit DicomProducer(std::span<const std::uint8_t> bytes) : size_(bytes.size()), window_(bytes) {}
  /// \param limit of the bytes that are read; those that are skipped do not count
  DicomProducer(const FileReader& file, std::size_t limit)
      : file_(&file), limit_(limit), size_(file.size()) {}

  OFBool good() const override { return status_.good(); }
  OFCondition status() const override { return status_; }
  OFBool eos() override { return position_ == size_; }
  offile_off_t avail() override { return static_cast<offile_off_t>(rest()); }
  offile_off_t read(void* target, offile_off_t count) override;
  offile_off_t skip(offile_off_t count) override;
  void putback(offile_off_t count) override { position_ -= static_cast<std::size_t>(count); }

  std::size_t rest() const noexcept { return size_ - position_; }
  /// What was not read yet, of bytes that lie in memory.
  std::span<const std::uint8_t> rest_in_memory() const noexcept {
    return window_.subspan(std::min(position_ - window_begin_, window_.size()));
  }
  /// The 12 bytes before the next one, the last of them at the end; zeros where there are fewer.
  /// \throws Error (io).
  std::array<std::uint8_t, 12> last_bytes();
  /// What follows is a deflate stream: it is unfolded, and read instead.
  bool inflate_rest();
  /// Stops the parser: every further read fails.
  void refuse(const Error& error);
  /// Why the parser was stopped.
  const std::optional<Error>& failure() const noexcept { return failure_; }

 private:
  static const char* stack_position() { return static_cast<const char*>(__builtin_frame_address(0)); }
  bool is_nested_too_deeply() const;
  /// Puts bytes from `position` into the window, at least one.
  void fetch(std::size_t position);

  const FileReader* file_ = nullptr;
  std::size_t limit_ = std::numeric_limits<std::size_t>::max();
  std::size_t size_ = 0;
  std::size_t position_ = 0;
  std::size_t bytes_read_ = 0;
  std::size_t reads_ = 0;
  std::span<const std::uint8_t> window_;  // bytes from window_begin_ on
  std::size_t window_begin_ = 0;
  std::vector<std::uint8_t> buffer_;  // backs the window, unless it is the caller's memory
  OFCondition status_ = EC_Normal;
  std::optional<Error> failure_;
  const char* stack_base_ = stack_position();
};

/// What becomes of values above the parser's maxReadLength. Reading them at once, DCMTK would allocate the stated
/// length, up to 4 GiB, before it looks whether so much is there.
enum class LongValues {
  read_later,  ///< from memory, which must live until then
  pass_over,   ///< never: they have a length but no content
};

/// The stream over a producer.
class DicomStream final : public DcmInputStream {
 public:
  DicomStream(DicomProducer& producer, LongValues long_values)
      : DcmInputStream(&producer), producer_(producer), long_values_(long_values) {}

  DcmInputStreamFactory* newFactory() const override;
  OFCondition installCompressionFilter(E_StreamCompression filter) override;

 private:
  DicomProducer& producer_;
  LongValues long_values_;
};

}  // namespace medretrieval::imaging
