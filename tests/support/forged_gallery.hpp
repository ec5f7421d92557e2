// Changes in the files of a gallery by somebody who mends the checksums.
#pragma once

#include <filesystem>
#include <fstream>
#include <functional>
#include <medretrieval/fingerprint.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "io/section_file.hpp"
#include "io/sinks.hpp"

namespace medretrieval::testing {

inline std::string read_text(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// Changes the manifest and its hash line.
inline void change_manifest(const std::filesystem::path& gallery,
                            const std::function<void(nlohmann::json&)>& change) {
  const std::string text = read_text(gallery / "manifest.json");
  auto document = nlohmann::json::parse(text.substr(0, text.rfind("\nxxh3-128 ")));
  change(document);
  const std::string body = document.dump(2);
  std::ofstream(gallery / "manifest.json", std::ios::binary)
      << body << "\nxxh3-128 " << Fingerprint::of(std::as_bytes(std::span(body))).to_string() << '\n';
}

/// Changes one section of the first segment; every checksum is right afterwards.
inline void change_section(const std::filesystem::path& gallery, const io::SectionKey& changed,
                           const std::function<void(std::vector<std::byte>&)>& change) {
  const auto segment = gallery / "segment-00000001.mrseg";
  const auto source = io::SectionFile::map(segment);
  std::vector<io::SectionKey> keys;
  for (std::uint32_t kind = 0; kind < 64; ++kind) {
    for (std::uint32_t column = 0; column < 64; ++column) {
      if (source->has({kind, column})) keys.push_back({kind, column});
    }
  }
  io::FileSink sink(gallery / "forged");
  io::SectionWriter writer(sink, keys.size());
  for (const auto& key : keys) {
    const auto raw = source->raw(key);
    std::vector<std::byte> bytes(raw.begin(), raw.end());
    if (key == changed) change(bytes);
    writer.begin_section(key);
    writer.append(bytes);
    writer.end_section();
  }
  writer.finish();
  sink.publish();
  std::filesystem::rename(gallery / "forged", segment);
  const auto checksum = io::SectionFile::map(segment)->checksum().to_string();
  change_manifest(gallery, [&](nlohmann::json& manifest) { manifest["segments"][0]["checksum"] = checksum; });
}

}  // namespace medretrieval::testing
