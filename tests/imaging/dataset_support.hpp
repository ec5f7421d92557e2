// What the tests of data sets share: a sink that keeps everything, and small files.
#pragma once

#include <zlib.h>

#include <filesystem>
#include <map>
#include <medretrieval/imaging/dataset.hpp>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/expect_error.hpp"
#include "support/make_images.hpp"
#include "support/test_data.hpp"

namespace medretrieval::imaging {

class Collector final : public RecordSink {
 public:
  void expect(std::size_t count) override { expected = count; }
  void add(DatasetRecord record) override { records.push_back(std::move(record)); }
  void skip(std::string_view kind, const std::string& what) override {
    ++skipped[std::string(kind)];
    reasons.push_back(what);
  }

  void note(std::string_view kind, const std::string&) override { ++noted[std::string(kind)]; }

  std::size_t patients() const {
    std::set<std::string> names;
    for (const auto& record : records) names.insert(record.patient);
    return names.size();
  }

  std::vector<DatasetRecord> records;
  std::map<std::string, std::size_t> skipped;
  std::map<std::string, std::size_t> noted;
  std::vector<std::string> reasons;
  std::size_t expected = 0;
};

inline Collector collect(const std::string& name, const std::filesystem::path& root,
                         const Parameters& options = {}) {
  Collector collector;
  read_dataset(name, root, options, collector);
  return collector;
}

inline void write_text(const std::filesystem::path& file, const std::string& text) {
  std::filesystem::create_directories(file.parent_path());
  testing::write_bytes(file, testing::ByteVector(text.begin(), text.end()));
}

inline std::string read_text(const std::filesystem::path& file) {
  const auto bytes = testing::read_bytes(file);
  return {bytes.begin(), bytes.end()};
}

inline std::string gunzip(const std::filesystem::path& file) {
  gzFile stream = gzopen(file.c_str(), "rb");
  if (stream == nullptr) throw std::runtime_error("cannot read " + file.string());
  std::string text;
  std::vector<char> block(1 << 16);
  int count = 0;
  while ((count = gzread(stream, block.data(), static_cast<unsigned>(block.size()))) > 0) {
    text.append(block.data(), static_cast<std::size_t>(count));
  }
  gzclose(stream);
  return text;
}

/// An 8-bit grey PNG of one level.
inline void write_small_png(const std::filesystem::path& file, std::uint8_t level = 100,
                            std::uint32_t side = 4) {
  std::filesystem::create_directories(file.parent_path());
  testing::write_bytes(file,
                       testing::make_png({side, side, 8, 0, testing::ByteVector(side * side, level), {}}));
}

}  // namespace medretrieval::imaging
