// The container of a segment: sections of plain arrays, checksums over 64 KiB blocks, one checksum over the
// whole.
//
//   offset  bytes  content
//        0      8  "MRSECTNS"
//        8      4  format version of the container (1)
//       12      4  number of sections
//       16      8  offset of the first section's data (a multiple of 64)
//       24      8  offset of the block checksums (a multiple of 64) = end of the data
//       32      8  length of the file
//       40     24  zero
//       64    64n  section table: kind u32, column u32, offset u64, bytes u64, XXH3-64 of the bytes u64, zero
//       to 64
//        .      .  data: each section at a multiple of 64, zeros between
//        .     8m  XXH3-64 of every 64 KiB of the data (the last block may be shorter)
//   length-16  16  XXH3-128 (low half, high half) of everything before it but the data: header, table, block
//   checksums
//
// The last checksum covers the data through the block checksums, so it names the whole content. Opening
// checks it and the structure; data blocks are checked when they are first touched.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <medretrieval/fingerprint.hpp>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "io/files.hpp"
#include "io/sinks.hpp"

namespace medretrieval::io {

inline constexpr std::size_t kBlockBytes = 64 * 1024;
inline constexpr std::size_t kMaxSections = 4096;

/// Names a section: what it holds, and of which column.
struct SectionKey {
  std::uint32_t kind = 0;
  std::uint32_t column = 0;
  auto operator<=>(const SectionKey&) const = default;
};

/// Reads a section file. All functions may be called from several threads.
class SectionFile {
 public:
  /// Maps a file.
  /// \throws Error not_found, io, corrupt, unsupported (a newer container format).
  static std::shared_ptr<const SectionFile> map(const std::filesystem::path& file);
  /// Takes bytes from memory, aligned to 64; `name` stands in messages.
  static std::shared_ptr<const SectionFile> from_memory(std::shared_ptr<const std::byte> bytes,
                                                        std::size_t size, std::string name);

  const std::string& name() const noexcept { return name_; }
  const Fingerprint& checksum() const noexcept { return checksum_; }
  std::size_t size_bytes() const noexcept { return bytes_.size(); }

  bool has(SectionKey key) const noexcept { return sections_.contains(key); }
  /// The bytes of a section, not yet checked; empty when there is none.
  std::span<const std::byte> raw(SectionKey key) const noexcept;
  /// Checks the blocks that hold `part`, which lies within the file, unless they were checked before.
  /// \throws Error (corrupt).
  void ensure(std::span<const std::byte> part) const;
  /// Whether every block was checked.
  bool is_checked() const noexcept { return unchecked_.load(std::memory_order_acquire) == 0; }
  /// Checks every block and every section's checksum.
  /// \throws Error (corrupt).
  void verify() const;

  /// Throws Error (corrupt) with the file's name before `reason`.
  [[noreturn]] void corrupt(const std::string& reason) const;

 private:
  struct Section {
    std::span<const std::byte> bytes;
    std::uint64_t checksum = 0;
  };

  SectionFile() = default;
  void open();
  void read_table(std::size_t count);
  void check_block(std::size_t block) const;

  std::string name_;
  MappedFile mapped_;
  std::shared_ptr<const std::byte> memory_;
  std::span<const std::byte> bytes_;
  std::span<const std::byte> data_;
  std::span<const std::byte> block_checksums_;
  std::map<SectionKey, Section> sections_;
  Fingerprint checksum_;
  mutable std::unique_ptr<std::atomic<bool>[]> checked_;
  mutable std::atomic<std::size_t> unchecked_{0};
};

/// An array inside a section file. Every access is bounds-checked and touches only checked blocks.
template <class Element>
class SectionArray {
 public:
  SectionArray() = default;
  /// \throws Error (corrupt) when the section is absent or its length is not `count` elements.
  SectionArray(std::shared_ptr<const SectionFile> file, SectionKey key, std::size_t count)
      : file_(std::move(file)) {
    const auto bytes = file_->raw(key);
    if (!file_->has(key) || bytes.size() != count * sizeof(Element)) {
      file_->corrupt("section " + std::to_string(key.kind) + "." + std::to_string(key.column) +
                     ": expected " + std::to_string(count) + " elements of " +
                     std::to_string(sizeof(Element)) + " bytes, got " + std::to_string(bytes.size()) +
                     " bytes");
    }
    elements_ = {reinterpret_cast<const Element*>(bytes.data()), count};
  }
  /// As many elements as the section holds.
  SectionArray(std::shared_ptr<const SectionFile> file, SectionKey key)
      : SectionArray(file, key, file->raw(key).size() / sizeof(Element)) {}

  std::size_t size() const noexcept { return elements_.size(); }
  Element at(std::size_t i) const { return range(i, 1).front(); }
  /// Elements `first` to `first + count - 1`.
  /// \throws Error (corrupt) outside the array: whoever asks got the place from the file.
  std::span<const Element> range(std::size_t first, std::size_t count) const {
    if (first > elements_.size() || count > elements_.size() - first) {
      file_->corrupt("element " + std::to_string(first) + " + " + std::to_string(count) + " of an array of " +
                     std::to_string(elements_.size()));
    }
    const auto part = elements_.subspan(first, count);
    if (is_checked()) return part;
    file_->ensure(std::as_bytes(part));
    if (count == elements_.size()) all_checked_->store(true, std::memory_order_release);
    return part;
  }
  std::span<const Element> all() const { return range(0, elements_.size()); }
  /// Whether all elements were read before: then none is checked again.
  bool is_checked() const noexcept { return all_checked_->load(std::memory_order_acquire); }
  /// Without checking; for pointers whose parts are checked with range() before use.
  const Element* data() const noexcept { return elements_.data(); }

 private:
  std::shared_ptr<const SectionFile> file_;
  std::span<const Element> elements_;
  std::shared_ptr<std::atomic<bool>> all_checked_ = std::make_shared<std::atomic<bool>>(false);
};

/// Writes a section file front to back; only the header is written last.
class SectionWriter {
 public:
  SectionWriter(ByteSink& sink, std::size_t section_count);

  void begin_section(SectionKey key);
  void append(std::span<const std::byte> bytes);
  template <class Element>
  void append_array(std::span<const Element> elements) {
    append(std::as_bytes(elements));
  }
  void end_section();
  /// After as many sections as announced. Returns the checksum over the whole.
  Fingerprint finish();

 private:
  void write_data(std::span<const std::byte> bytes);
  void pad();

  struct Entry {
    SectionKey key;
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
    std::uint64_t checksum = 0;
  };
  struct Hashers;

  ByteSink& sink_;
  std::size_t data_offset_;
  std::size_t position_;  // in the file
  std::vector<Entry> entries_;
  std::size_t expected_sections_;
  std::vector<std::uint64_t> block_checksums_;
  std::size_t in_block_ = 0;
  std::shared_ptr<Hashers> hashers_;
};

}  // namespace medretrieval::io
