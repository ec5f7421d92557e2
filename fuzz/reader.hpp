// What the fuzz targets share: a folder in memory that a reader is pointed at, and the one exception that may
// come out.
#pragma once

#include <stdlib.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <medretrieval/error.hpp>
#include <medretrieval/imaging/dataset.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace medretrieval::fuzz {

using Bytes = std::span<const std::uint8_t>;

/// An empty folder of this process, in memory where the machine has /dev/shm; removed at a regular end.
class Folder {
 public:
  Folder() {
    const bool has_memory = std::filesystem::is_directory("/dev/shm");
    std::string pattern =
        (has_memory ? std::filesystem::path("/dev/shm") : std::filesystem::temp_directory_path()) /
        "medretrieval-fuzz.XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed for " + pattern);
    path_ = pattern;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

  /// The file's path.
  std::filesystem::path write(const std::string& name, Bytes bytes) const {
    const std::filesystem::path file = path_ / name;
    std::ofstream stream(file, std::ios::binary | std::ios::trunc);
    stream.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    if (!stream.flush()) throw std::runtime_error("cannot write " + file.string());
    return file;
  }
  std::filesystem::path write(const std::string& name, std::string_view text) const {
    return write(name, Bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
  }

 private:
  std::filesystem::path path_;
};

/// Runs `read`. An Error is a refusal and fine; any other exception leaves the process and is a finding.
template <class Read>
void expect_read_or_refused(const Read& read) {
  try {
    read();
  } catch (const Error&) {
  }
}

/// Which of `count` inputs the first byte stands for ('0' is the first); it is taken off `bytes`.
inline std::size_t take_choice(Bytes& bytes, std::size_t count) {
  if (bytes.empty()) return 0;
  const std::size_t choice = static_cast<std::size_t>(bytes[0] + 256 - '0') % 256 % count;
  bytes = bytes.subspan(1);
  return choice;
}

/// Takes records as an import does: makes the first few images, forgets the rest.
class Sink final : public imaging::RecordSink {
 public:
  void expect(std::size_t) override {}
  void add(imaging::DatasetRecord record) override {
    constexpr std::size_t kMostImages = 4;
    if (++records_ > kMostImages) return;
    expect_read_or_refused([&] { record.load ? record.load() : imaging::load_source(record.source); });
  }
  void skip(std::string_view, const std::string&) override {}

 private:
  std::size_t records_ = 0;
};

/// Reads a whole data set.
inline void read_all(const std::string& dataset, const Folder& folder, const Parameters& options = {}) {
  expect_read_or_refused([&] {
    Sink sink;
    imaging::read_dataset(dataset, folder.path(), options, sink);
  });
}

}  // namespace medretrieval::fuzz
