#include "torch/network_file.hpp"

#include <nlohmann/json.hpp>

#include "base/concat.hpp"

namespace medretrieval::deep {

using detail::NetworkSection;

namespace {

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class Sections {
 public:
  Sections(io::ByteSink& sink, std::size_t count) : writer_(sink, count) {}

  void add(NetworkSection section, std::span<const std::byte> bytes, std::uint32_t column = 0) {
    writer_.begin_section({detail::section_key(section).kind, column});
    writer_.append(bytes);
    writer_.end_section();
  }
  Fingerprint finish() { return writer_.finish(); }

 private:
  io::SectionWriter writer_;
};

void add_assets(Sections& sections, const Assets& assets) {
  if (assets.empty()) return;
  nlohmann::json names = nlohmann::json::array();
  for (const auto& [name, bytes] : assets) names.push_back(name);
  sections.add(NetworkSection::asset_names, bytes_of(names.dump()));
  std::uint32_t column = 0;
  for (const auto& [name, bytes] : assets) sections.add(NetworkSection::asset, bytes, column++);
}

}  // namespace

Fingerprint write_network_file(io::ByteSink& sink, const NetworkContent& content) {
  const std::size_t assets = content.assets.empty() ? 0 : content.assets.size() + 1;
  const std::size_t count = 4 + (content.gate ? 1 : 0) + assets + (content.training != nullptr ? 5 : 0);
  Sections sections(sink, count);
  sections.add(NetworkSection::description, bytes_of(detail::description_to_json(content.description)));
  sections.add(NetworkSection::encoder, content.encoder->to_bytes());
  if (content.gate) {
    ByteWriter writer;
    content.gate->write(writer);
    sections.add(NetworkSection::gate, writer.buffer());
  }
  const TensorBytes tensors = to_bytes(content.tensors);
  sections.add(NetworkSection::tensor_index, bytes_of(tensors.index));
  sections.add(NetworkSection::tensor_data, tensors.data);
  add_assets(sections, content.assets);
  if (content.training != nullptr) {
    sections.add(NetworkSection::training, bytes_of(content.training->record));
    const TensorBytes optimizer = to_bytes(content.training->optimizer);
    sections.add(NetworkSection::optimizer_index, bytes_of(optimizer.index));
    sections.add(NetworkSection::optimizer_data, optimizer.data);
    const TensorBytes best = to_bytes(content.training->best);
    sections.add(NetworkSection::best_tensor_index, bytes_of(best.index));
    sections.add(NetworkSection::best_tensor_data, best.data);
  }
  return sections.finish();
}

NamedTensors read_tensors(const io::SectionFile& file, NetworkSection index, NetworkSection data) {
  return from_bytes(network_section(file, index), network_section(file, data), file.name());
}

Assets read_assets(const io::SectionFile& file) {
  Assets assets;
  if (!file.has(detail::section_key(NetworkSection::asset_names))) return assets;
  const auto text = text_of(network_section(file, NetworkSection::asset_names));
  const auto names = nlohmann::json::parse(text, nullptr, false);
  if (!names.is_array()) file.corrupt("expected a list of names of assets");
  std::uint32_t column = 0;
  for (const auto& name : names) {
    const io::SectionKey key = {detail::section_key(NetworkSection::asset).kind, column++};
    if (!name.is_string() || !file.has(key)) file.corrupt("an asset without a name or bytes");
    const auto bytes = file.raw(key);
    file.ensure(bytes);
    assets[name.get<std::string>()].assign(bytes.begin(), bytes.end());
  }
  return assets;
}

TrainingState read_training_state(const io::SectionFile& file) {
  return {text_of(network_section(file, NetworkSection::training)),
          read_tensors(file, NetworkSection::optimizer_index, NetworkSection::optimizer_data),
          read_tensors(file, NetworkSection::best_tensor_index, NetworkSection::best_tensor_data)};
}

}  // namespace medretrieval::deep
