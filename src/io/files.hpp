// Files as the operating system gives them, with its refusals turned into Errors.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <vector>

namespace medretrieval::io {

/// Throws the Error for `errno`: "file: cannot <action>: <reason>"; not_found for ENOENT, else io.
[[noreturn]] void fail_with_errno(const std::filesystem::path& file, const char* action);

/// The whole file.
/// \throws Error not_found, io, limit_exceeded (more than `max_bytes`).
std::vector<std::byte> read_file(const std::filesystem::path& file,
                                 std::size_t max_bytes = std::size_t{1} << 40);

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
