#include "io/sinks.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>

#include "io/files.hpp"

namespace medretrieval::io {

void MemorySink::append(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  if (bytes.size() > capacity_ - size_) {
    const std::size_t wanted = std::max(capacity_ * 2, size_ + bytes.size());
    const std::size_t capacity = (wanted + 63) / 64 * 64;
    auto* memory = static_cast<std::byte*>(std::aligned_alloc(64, capacity));
    if (memory == nullptr) throw std::bad_alloc();
    std::shared_ptr<std::byte> larger(memory, [](std::byte* owned) { std::free(owned); });
    if (size_ != 0) std::memcpy(memory, bytes_.get(), size_);
    bytes_ = std::move(larger);
    capacity_ = capacity;
  }
  std::memcpy(bytes_.get() + size_, bytes.data(), bytes.size());
  size_ += bytes.size();
}

void MemorySink::patch(std::size_t offset, std::span<const std::byte> bytes) {
  std::memcpy(bytes_.get() + offset, bytes.data(), bytes.size());
}

std::shared_ptr<const std::byte> MemorySink::take() {
  return std::move(bytes_);
}

FileSink::FileSink(std::filesystem::path file) : file_(std::move(file)), temporary_(file_) {
  temporary_ += ".tmp";
  descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor_ < 0) fail_with_errno(temporary_, "create");
}

FileSink::~FileSink() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(temporary_.c_str());
}

void FileSink::append(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_with_errno(temporary_, "write");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void FileSink::patch(std::size_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_with_errno(temporary_, "write");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += static_cast<std::size_t>(written);
  }
}

void FileSink::publish() {
  if (::fsync(descriptor_) != 0) fail_with_errno(temporary_, "sync");
  if (::rename(temporary_.c_str(), file_.c_str()) != 0) fail_with_errno(file_, "rename a temporary file to");
  ::close(descriptor_);
  descriptor_ = -1;
  sync_folder(file_.parent_path());
}

void write_file_atomically(const std::filesystem::path& file, std::span<const std::byte> bytes) {
  FileSink sink(file);
  sink.append(bytes);
  sink.publish();
}

}  // namespace medretrieval::io
