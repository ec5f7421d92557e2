// Whole files to bytes and back: the only place where the imaging part touches the file system's content.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include <medretrieval/error.hpp>
#include <medretrieval/imaging/load.hpp>

#include "base/concat.hpp"

namespace medretrieval::imaging {

// The messages of the readers do not name the file: their callers do, with naming_file().

/// At most the first `limit` bytes of a regular file.
/// \throws Error not_found (no such file), io (not a regular file, not readable).
std::vector<std::uint8_t> read_head(const std::filesystem::path& file, std::size_t limit);

/// All bytes of a regular file.
/// \throws Error as read_head, and limit_exceeded above `limit` bytes.
std::vector<std::uint8_t> read_file(const std::filesystem::path& file,
                                    std::size_t limit = kMaxImageFileBytes);

/// `count` bytes from `offset` of a regular file that must have `whole` bytes.
/// \throws Error as read_head, and corrupt for another size.
std::vector<std::uint8_t> read_part(const std::filesystem::path& file, std::size_t offset, std::size_t count,
                                    std::size_t whole);

/// A regular file that is open for reading in parts.
class FileReader {
 public:
  /// \throws Error as read_head.
  explicit FileReader(const std::filesystem::path& file);
  ~FileReader();
  FileReader(const FileReader&) = delete;
  FileReader& operator=(const FileReader&) = delete;

  /// In bytes, when it was opened.
  std::size_t size() const noexcept { return size_; }
  /// Fills `target` with the bytes from `offset`, all of them below size().
  /// \throws Error (io), also when the file has become shorter.
  void read_at(std::size_t offset, std::span<std::uint8_t> target) const;

 private:
  int descriptor_ = -1;
  std::size_t size_ = 0;
};

/// Writes a neighbour of `file` and renames it: `file` is old or new but never half, unless power is lost.
/// \throws Error (io) with the system's reason.
void write_file(const std::filesystem::path& file, std::span<const std::uint8_t> bytes);

/// The same, and brings file and name to the disk, so that a loss of power leaves the old or the new file.
/// \throws Error (io) with the system's reason.
void write_durable_file(const std::filesystem::path& file, std::span<const std::uint8_t> bytes);

/// Brings a file's bytes, or a folder's names, to the disk.
/// \throws Error (io).
void sync(const std::filesystem::path& file_or_folder);

/// Brings everything in the folder's file system to the disk: for many files written before.
/// \throws Error (io).
void sync_file_system(const std::filesystem::path& folder);

/// Throws Error (io) with the reason that errno gives: "cannot <action> <file>: <reason>".
[[noreturn]] void fail_with_errno(const std::filesystem::path& file, const char* action);

/// With the folders above it; one that is there already, or no name, is fine.
/// \throws Error (io).
void make_folder(const std::filesystem::path& folder);

/// Runs `body`; an Error gets the file's name in front of its message.
template <class Body>
auto naming_file(const std::filesystem::path& file, const Body& body) {
  try {
    return body();
  } catch (const Error& error) {
    throw Error(error.code(), medretrieval::detail::concat(file.string(), ": ", error.what()));
  }
}

}  // namespace medretrieval::imaging
