#include <medretrieval/network_file.hpp>
#include <nlohmann/json.hpp>

#include "base/concat.hpp"
#include "base/reading.hpp"
#include "model/network_sections.hpp"

namespace medretrieval {

namespace detail {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kKind = "medretrieval network";
constexpr std::size_t kMaxDescriptionBytes = 1 << 24;
constexpr std::size_t kMaxSide = 32768;
constexpr std::size_t kMaxBits = 65536;

ParameterValue value_from(const Json& json) {
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_integer()) return json.get<std::int64_t>();
  if (json.is_number()) return json.get<double>();
  return json.get<std::string>();
}

NetworkDescription parse(const Json& json) {
  NetworkDescription description;
  description.network = json.at("network").get<std::string>();
  for (const auto& [name, value] : json.at("options").items()) description.options[name] = value_from(value);
  description.side = json.at("side").get<std::size_t>();
  description.bits = json.at("bits").get<std::size_t>();
  description.labels = json.at("labels").get<std::vector<std::string>>();
  description.several_labels = json.at("several_labels").get<bool>();
  description.hash_learned = json.value("hash_learned", true);
  return description;
}

}  // namespace

std::string description_to_json(const NetworkDescription& description) {
  Json options = Json::object();
  for (const auto& [name, value] : description.options) {
    std::visit([&, &key = name](const auto& each) { options[key] = each; }, value);
  }
  Json json = {{"kind", kKind},
               {"version", kNetworkFileVersion},
               {"network", description.network},
               {"options", options},
               {"side", description.side},
               {"bits", description.bits},
               {"labels", description.labels},
               {"several_labels", description.several_labels}};
  if (!description.hash_learned)
    json["hash_learned"] = false;  // files without the key come back as they were
  return json.dump();
}

NetworkDescription description_from_json(const std::string& text, const std::string& name) {
  if (text.size() > kMaxDescriptionBytes) {
    fail(ErrorCode::corrupt, name, ": a description of ", text.size(), " bytes");
  }
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || json.value("kind", Json()) != kKind) {
    fail(ErrorCode::corrupt, name, ": expected the description of a network");
  }
  try {
    const auto version = json.at("version").get<std::uint32_t>();
    if (version != kNetworkFileVersion) {
      fail(ErrorCode::unsupported, name, ": this build reads network files of version ", kNetworkFileVersion,
           ", got ", version);
    }
    NetworkDescription description = parse(json);
    if (description.side == 0 || description.side > kMaxSide || description.bits == 0 ||
        description.bits > kMaxBits) {
      fail(ErrorCode::corrupt, name, ": a side of ", description.side, " or a code of ", description.bits,
           " bits cannot be");
    }
    return description;
  } catch (const nlohmann::json::exception& error) {
    fail(ErrorCode::corrupt, name, ": description: ", error.what());
  }
}

std::span<const std::byte> network_section(const io::SectionFile& file, NetworkSection section) {
  const auto key = section_key(section);
  if (!file.has(key)) file.corrupt(concat("expected section ", key.kind, " of a network file"));
  const auto bytes = file.raw(key);
  file.ensure(bytes);
  return bytes;
}

namespace {

std::shared_ptr<const Encoder> read_encoder(const io::SectionFile& file) {
  const auto bytes = network_section(file, NetworkSection::encoder);
  try {
    return load_encoder(bytes);
  } catch (const Error& error) {  // it knows of no file
    fail(error.code(), file.name(), ": ", error.what());
  }
}

}  // namespace

NetworkHead read_network_head(const std::shared_ptr<const io::SectionFile>& file) {
  const auto text = network_section(*file, NetworkSection::description);
  NetworkHead head;
  head.description = description_from_json(
      std::string(reinterpret_cast<const char*>(text.data()), text.size()), file->name());
  head.encoder = read_encoder(*file);
  if (file->has(section_key(NetworkSection::gate))) {
    ByteReader reader(network_section(*file, NetworkSection::gate), file->name());
    head.gate = std::make_shared<const ClassGate>(ClassGate::read(reader));
    reader.expect_end();
    if (head.gate->class_count() != head.description.labels.size()) {
      file->corrupt(concat("a gate over ", head.gate->class_count(), " classes beside ",
                           head.description.labels.size(), " labels"));
    }
  }
  head.fingerprint = file->checksum();
  return head;
}

}  // namespace detail

NetworkHead read_network_head(const std::filesystem::path& file) {
  return detail::reading(file.string(),
                         [&] { return detail::read_network_head(io::SectionFile::map(file)); });
}

}  // namespace medretrieval
