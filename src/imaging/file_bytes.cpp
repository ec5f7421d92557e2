#include "imaging/file_bytes.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <random>
#include <string>

namespace medretrieval::imaging {

using detail::concat;
using detail::fail;
namespace fs = std::filesystem;

namespace {

// Devices and pipes have no size to check and could block or never end.
std::uintmax_t size_of_regular_file(const fs::path& file) {
  std::error_code error;
  const fs::file_status status = fs::status(file, error);
  if (status.type() == fs::file_type::not_found) fail(ErrorCode::not_found, "no such file");
  if (!error && status.type() != fs::file_type::regular) fail(ErrorCode::io, "not a regular file");
  const std::uintmax_t size = error ? 0 : fs::file_size(file, error);
  if (error) fail(ErrorCode::io, "cannot be read: ", error.message());
  return size;
}

std::vector<std::uint8_t> read_exactly(const fs::path& file, std::size_t count, std::size_t offset = 0) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) fail(ErrorCode::io, "cannot be opened for reading");
  if (offset > 0) stream.seekg(static_cast<std::streamoff>(offset));
  std::vector<std::uint8_t> bytes(count);
  stream.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(count));
  if (static_cast<std::size_t>(stream.gcount()) != count) {
    fail(ErrorCode::io, "has ", count, " bytes, of which only ", stream.gcount(), " could be read");
  }
  return bytes;
}

// In the same folder, because a rename is atomic only within one file system.
fs::path unused_neighbour(const fs::path& file) {
  std::random_device random;
  fs::path neighbour = file;
  neighbour += concat(".", std::hex, random(), random(), ".tmp");
  return neighbour;
}

}  // namespace

std::vector<std::uint8_t> read_head(const fs::path& file, std::size_t limit) {
  const std::uintmax_t size = size_of_regular_file(file);
  return read_exactly(file, size < limit ? static_cast<std::size_t>(size) : limit);
}

std::vector<std::uint8_t> read_file(const fs::path& file, std::size_t limit) {
  const std::uintmax_t size = size_of_regular_file(file);
  if (size > limit) {
    fail(ErrorCode::limit_exceeded, "has ", size, " bytes; at most ", limit, " are read");
  }
  return read_exactly(file, static_cast<std::size_t>(size));
}

std::vector<std::uint8_t> read_part(const fs::path& file, std::size_t offset, std::size_t count,
                                    std::size_t whole) {
  const std::uintmax_t size = size_of_regular_file(file);
  if (size != whole) fail(ErrorCode::corrupt, "has ", size, " bytes where ", whole, " are stated");
  return read_exactly(file, count, offset);
}

// Without O_NONBLOCK opening a pipe would wait for its other end.
FileReader::FileReader(const fs::path& file)
    : descriptor_(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  if (descriptor_ < 0) {
    if (errno == ENOENT) fail(ErrorCode::not_found, "no such file");
    fail(ErrorCode::io, "cannot be opened for reading: ", std::strerror(errno));
  }
  struct stat status = {};
  const bool known = ::fstat(descriptor_, &status) == 0;
  if (!known || !S_ISREG(status.st_mode)) {
    ::close(descriptor_);
    fail(ErrorCode::io, known ? "not a regular file" : "cannot be read");
  }
  size_ = static_cast<std::size_t>(status.st_size);
}

FileReader::~FileReader() {
  ::close(descriptor_);
}

void FileReader::read_at(std::size_t offset, std::span<std::uint8_t> target) const {
  while (!target.empty()) {
    const ::ssize_t count = ::pread(descriptor_, target.data(), target.size(), static_cast<::off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      fail(ErrorCode::io, "cannot be read at byte ", offset, " of ", size_,
           count < 0 ? concat(": ", std::strerror(errno)) : std::string());
    }
    offset += static_cast<std::size_t>(count);
    target = target.subspan(static_cast<std::size_t>(count));
  }
}

namespace {

/// \param before_rename called with the neighbour that holds the bytes
template <class BeforeRename>
void write_neighbour(const fs::path& file, std::span<const std::uint8_t> bytes,
                     const BeforeRename& before_rename) {
  const fs::path neighbour = unused_neighbour(file);
  try {
    errno = 0;
    std::ofstream stream(neighbour, std::ios::binary);
    stream.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    stream.close();
    if (!stream) fail_with_errno(file, "write");
    before_rename(neighbour);
    if (::rename(neighbour.c_str(), file.c_str()) != 0) fail_with_errno(file, "rename a temporary file to");
  } catch (const Error&) {
    std::error_code ignored;
    fs::remove(neighbour, ignored);
    throw;
  }
}

/// Calls `sync_descriptor` (fsync or syncfs) for an opened file or folder.
void sync_by(int (*sync_descriptor)(int), const fs::path& file_or_folder) {
  const int descriptor = ::open(file_or_folder.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) fail_with_errno(file_or_folder, "open");
  const int result = sync_descriptor(descriptor);
  const int number = errno;
  ::close(descriptor);
  errno = number;
  if (result != 0) fail_with_errno(file_or_folder, "sync");
}

}  // namespace

void write_file(const fs::path& file, std::span<const std::uint8_t> bytes) {
  write_neighbour(file, bytes, [](const fs::path&) {});
}

void write_durable_file(const fs::path& file, std::span<const std::uint8_t> bytes) {
  write_neighbour(file, bytes, sync);
  sync(file.parent_path());
}

void sync(const fs::path& file_or_folder) {
  sync_by(::fsync, file_or_folder);
}

void sync_file_system(const fs::path& folder) {
  sync_by(::syncfs, folder);
}

void fail_with_errno(const fs::path& file, const char* action) {
  const int number = errno;
  fail(ErrorCode::io, "cannot ", action, " ", file.string(), ": ",
       number == 0 ? "unknown reason" : std::strerror(number));
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  if (!folder.empty()) fs::create_directories(folder, error);
  if (error) fail(ErrorCode::io, "cannot make the folder ", folder.string(), ": ", error.message());
}

}  // namespace medretrieval::imaging
