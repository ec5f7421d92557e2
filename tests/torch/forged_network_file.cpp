#include "forged_network_file.hpp"

#include <vector>

#include "io/section_file.hpp"
#include "torch/deep_model_state.hpp"

namespace medretrieval::deep::testing {

using detail::NetworkSection;

DeepModel tiny_model(std::uint64_t seed) {
  const auto& type = network_type("fcdn");
  const Parameters few = {{"width", std::int64_t{2}}, {"growth", std::int64_t{2}}};
  const NetworkDescription description = {
      "fcdn", complete_parameters(few, type.options, "fcdn"), 64, 8, {"disc", "bar"}};
  ::torch::manual_seed(seed);
  return DeepModelBuilder::from_network(description, make_network(description), nullptr);
}

std::string section_text(const std::filesystem::path& file, NetworkSection section) {
  const auto sections = io::SectionFile::map(file);
  const auto bytes = detail::network_section(*sections, section);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void rewrite(const std::filesystem::path& file, const Replacements& replacements) {
  std::vector<std::pair<io::SectionKey, std::string>> contents;
  {
    const auto sections = io::SectionFile::map(file);
    constexpr auto kLast = static_cast<std::uint32_t>(NetworkSection::optimizer_data);
    for (std::uint32_t kind = 1; kind <= kLast; ++kind) {
      const auto section = static_cast<NetworkSection>(kind);
      const auto found = replacements.find(section);
      if (found != replacements.end()) {
        if (found->second) contents.emplace_back(detail::section_key(section), *found->second);
      } else if (sections->has(detail::section_key(section))) {
        contents.emplace_back(detail::section_key(section), section_text(file, section));
      }
    }
  }
  io::FileSink sink(file);
  io::SectionWriter writer(sink, contents.size());
  for (const auto& [key, bytes] : contents) {
    writer.begin_section(key);
    writer.append(std::as_bytes(std::span(bytes.data(), bytes.size())));
    writer.end_section();
  }
  writer.finish();
  sink.publish();
}

}  // namespace medretrieval::deep::testing
