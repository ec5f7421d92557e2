// Files as the operating system gives them, with its refusals turned into Errors.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <vector>

namespace medretrieval::io {

/// The whole file.
/// \throws Error not_found, io, limit_exceeded (more than `max_bytes`).
std::vector<std::byte> read_file(const std::filesystem::path& file,
                                 std::size_t max_bytes = std::size_t{1} << 40);

/// Writes a file so that it is either there whole, after a crash too, or not at all: a temporary file beside
/// it, fsync, rename, fsync of the folder. An existing file is replaced. \throws Error (io); nothing is left
/// behind.
void write_file_atomically(const std::filesystem::path& file, std::span<const std::byte> bytes);

/// Makes renames and removals within `folder` durable.
void sync_folder(const std::filesystem::path& folder);

/// A read-only mapping of a whole file; unmapped by the destructor. Move-only.
class MappedFile {
 public:
  MappedFile() = default;
  /// \throws Error not_found, io.
  explicit MappedFile(const std::filesystem::path& file);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  std::span<const std::byte> bytes() const noexcept { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace medretrieval::io
