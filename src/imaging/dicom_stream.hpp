// Bytes of memory or of a file as DCMTK's parser takes them, with the limits that DCMTK does not set itself.
#pragma once

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcistrma.h>

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
  std::span<const std::uint8_t> window_;  // bytes from window_begin_ on
  std::size_t window_begin_ = 0;
  std::vector<std::uint8_t> buffer_;  // backs the window, unless it is the caller's memory
  OFCondition status_ = EC_Normal;
  std::optional<Error> failure_;
  const char* stack_base_ = stack_position();
};

/// The stream over a producer.
class DicomStream final : public DcmInputStream {
 public:
  /// \param skip_long_values values above the parser's maxReadLength are passed over and cannot be read later;
  ///        without it every value is read at once
  DicomStream(DicomProducer& producer, bool skip_long_values)
      : DcmInputStream(&producer), producer_(producer), skip_long_values_(skip_long_values) {}

  DcmInputStreamFactory* newFactory() const override;
  OFCondition installCompressionFilter(E_StreamCompression filter) override;

 private:
  DicomProducer& producer_;
  bool skip_long_values_;
};

}  // namespace medretrieval::imaging
