#include "io/files.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <system_error>
#include <utility>

#include "base/concat.hpp"

namespace medretrieval::io {

using detail::fail;

void fail_with_errno(const std::filesystem::path& file, const char* action) {
  const int number = errno;
  const auto code = number == ENOENT ? ErrorCode::not_found : ErrorCode::io;
  fail(code, file.string(), ": cannot ", action, ": ", std::generic_category().message(number));
}

namespace {

/// Closes on scope exit.
class Descriptor {
 public:
  Descriptor(const std::filesystem::path& file, int flags, const char* action)
      : number_(::open(file.c_str(), flags, 0644)) {
    if (number_ < 0) fail_with_errno(file, action);
  }
  ~Descriptor() { ::close(number_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

std::size_t regular_file_size(const Descriptor& descriptor, const std::filesystem::path& file) {
  struct stat status {};
  if (::fstat(descriptor.number(), &status) != 0) fail_with_errno(file, "examine");
  if (!S_ISREG(status.st_mode)) fail(ErrorCode::io, file.string(), ": expected a regular file");
  return static_cast<std::size_t>(status.st_size);
}

}  // namespace

std::vector<std::byte> read_file(const std::filesystem::path& file, std::size_t max_bytes) {
  const Descriptor descriptor(file, O_RDONLY | O_CLOEXEC, "open");
  const std::size_t size = regular_file_size(descriptor, file);
  if (size > max_bytes) {
    fail(ErrorCode::limit_exceeded, file.string(), ": expected at most ", max_bytes, " bytes, got ", size);
  }
  std::vector<std::byte> bytes(size);
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = ::read(descriptor.number(), bytes.data() + done, size - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_with_errno(file, "read");
    if (got == 0) fail(ErrorCode::io, file.string(), ": ended after ", done, " of ", size, " bytes");
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

void sync_folder(const std::filesystem::path& folder) {
  const Descriptor descriptor(folder.empty() ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, "open");
  if (::fsync(descriptor.number()) != 0) fail_with_errno(folder, "sync");
}

MappedFile::MappedFile(const std::filesystem::path& file) {
  const Descriptor descriptor(file, O_RDONLY | O_CLOEXEC, "open");
  const std::size_t size = regular_file_size(descriptor, file);
  if (size == 0) return;
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, descriptor.number(), 0);
  if (address == MAP_FAILED) fail_with_errno(file, "map");
  bytes_ = {static_cast<const std::byte*>(address), size};
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

MappedFile::MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  return *this;
}

}  // namespace medretrieval::io
