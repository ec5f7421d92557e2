#include "gallery_description.hpp"

#include <iostream>

namespace medretrieval::cli {

using Json = nlohmann::ordered_json;

void GalleryChoice::add_to(CLI::App& command) {
  command.add_option("--gallery", gallery, "Folder of the gallery")->required()->type_name("FOLDER");
  command.add_flag("--json", json, "Print JSON");
}

Json describe(const Snapshot& snapshot) {
  Json segments = Json::array();
  for (const auto& segment : snapshot.segments()) {
    segments.push_back({{"file", segment.file},
                        {"rows", segment.rows},
                        {"removed", segment.removed},
                        {"bytes", segment.bytes},
                        {"checksum", segment.checksum.to_string()}});
  }
  Json attributes = Json::object();
  for (const auto& [name, type] : snapshot.attributes()) {
    attributes[name] = type == ColumnType::number ? "number" : "text";
  }
  const Model& model = snapshot.model();
  Json encoder = nullptr;
  if (model.encoder() != nullptr) {
    Json parameters = Json::object();
    for (const auto& [name, value] : model.encoder()->parameters()) parameters[name] = to_string(value);
    encoder = {{"type", model.encoder()->type()},
               {"code", model.encoder()->layout().to_string()},
               {"parameters", parameters},
               {"fingerprint", model.encoder()->fingerprint().to_string()}};
  }
  Json tuned = nullptr;
  if (const auto& found = snapshot.tuned_search()) {
    tuned = {{"recall", found->recall},
             {"k", found->k},
             {"probes", found->probes},
             {"pool_factor", found->pool_factor}};
  }
  return {{"items", snapshot.size()},
          {"generation", snapshot.generation()},
          {"fingerprint", snapshot.fingerprint().to_string()},
          {"dimension", model.dimension()},
          {"features", model.feature_source().name},
          {"encoder", encoder},
          {"lists", model.lists() != nullptr ? model.lists()->lists() : 0},
          {"stored_features", feature_type_name(model.stored_features())},
          {"tuned", tuned},
          {"gate", model.gate() != nullptr},
          {"labels", model.labels().names()},
          {"attributes", attributes},
          {"segments", segments}};
}

void print(const Json& description, bool json) {
  if (json) {
    std::cout << description.dump(2) << '\n';
    return;
  }
  for (const auto& [key, value] : description.items()) {
    if (!value.is_structured())
      std::cout << key << ": " << (value.is_string() ? value.get<std::string>() : value.dump()) << '\n';
    if (value.is_structured() && key != "segments") std::cout << key << ": " << value.dump() << '\n';
    if (key != "segments") continue;
    for (const auto& segment : value) {
      std::cout << "segment " << segment["file"].get<std::string>() << ": " << segment["rows"] << " rows, "
                << segment["removed"] << " removed, " << segment["bytes"] << " bytes\n";
    }
  }
}

}  // namespace medretrieval::cli
