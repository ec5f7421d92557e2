// Where bytes are written to: memory, and files that appear under their name only when whole.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>

namespace medretrieval::io {

class ByteSink {
 public:
  virtual ~ByteSink() = default;
  virtual void append(std::span<const std::byte> bytes) = 0;
  /// Overwrites bytes written before.
  virtual void patch(std::size_t offset, std::span<const std::byte> bytes) = 0;
};

/// Collects bytes in memory aligned to 64.
class MemorySink final : public ByteSink {
 public:
  void append(std::span<const std::byte> bytes) override;
  void patch(std::size_t offset, std::span<const std::byte> bytes) override;
  std::size_t size() const noexcept { return size_; }
  std::shared_ptr<const std::byte> take();

 private:
  std::shared_ptr<std::byte> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

/// Writes "<file>.tmp"; publish() makes it durable under its name. Without publish() the destructor removes
/// it.
class FileSink final : public ByteSink {
 public:
  /// \throws Error not_found, io.
  explicit FileSink(std::filesystem::path file);
  ~FileSink() override;
  FileSink(const FileSink&) = delete;
  FileSink& operator=(const FileSink&) = delete;

  void append(std::span<const std::byte> bytes) override;
  void patch(std::size_t offset, std::span<const std::byte> bytes) override;
  /// fsync, rename (an existing file is replaced), fsync of the folder.
  void publish();

 private:
  std::filesystem::path file_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;
};

/// Writes a file that is either there whole, after a crash too, or not at all.
/// \throws Error not_found, io; nothing is left behind.
void write_file_atomically(const std::filesystem::path& file, std::span<const std::byte> bytes);

}  // namespace medretrieval::io
