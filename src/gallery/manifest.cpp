#include "gallery/manifest.hpp"

#include <nlohmann/json.hpp>

#include "base/concat.hpp"
#include "gallery/columns.hpp"

namespace medretrieval::gallery {

using nlohmann::json;

namespace {

constexpr const char* kFormat = "medretrieval gallery";
constexpr int kVersion = 1;
constexpr std::string_view kHashMark = "\nxxh3-128 ";
constexpr std::size_t kHashLine = kHashMark.size() + 32 + 1;

/// Names of files lie in the gallery's folder, nowhere else.
std::string plain_file_name(const json& value) {
  auto name = value.get<std::string>();
  if (name.find('/') != std::string::npos || name.starts_with('.')) {
    detail::fail(ErrorCode::corrupt, "the file name '", name, "' is not one of a gallery");
  }
  return name;
}

std::uint64_t whole_number(const json& value) {
  if (!value.is_number_unsigned())
    detail::fail(ErrorCode::corrupt, "expected a whole number, got ", value.dump());
  return value.get<std::uint64_t>();
}

Fingerprint fingerprint(const json& value) {
  return Fingerprint::from_string(value.get<std::string>());
}

Manifest from_json(const json& document) {
  Manifest manifest;
  manifest.generation = whole_number(document.at("generation"));
  manifest.previous = fingerprint(document.at("previous"));
  manifest.model_file = plain_file_name(document.at("model").at("file"));
  manifest.model = fingerprint(document.at("model").at("fingerprint"));
  manifest.encoder = fingerprint(document.at("encoder"));
  manifest.next_id = whole_number(document.at("next_id"));
  if (manifest.next_id > kMaxItemId + 1) detail::fail(ErrorCode::corrupt, "next_id is ", manifest.next_id);
  for (const auto& [name, type] : document.at("attributes").items()) {
    if ((type != "number" && type != "text") || is_reserved(name)) {
      detail::fail(ErrorCode::corrupt, "the attribute '", name, "' has type ", type.dump());
    }
    manifest.attributes[name] = type == "number" ? ColumnType::number : ColumnType::text;
  }
  for (const auto& segment : document.at("segments")) {
    manifest.segments.push_back({plain_file_name(segment.at("file")), whole_number(segment.at("rows")),
                                 fingerprint(segment.at("checksum"))});
  }
  if (document.contains("tuned")) {
    const auto& tuned = document.at("tuned");
    manifest.tuned = TunedSearch{tuned.at("recall").get<double>(), whole_number(tuned.at("k")),
                                 whole_number(tuned.at("probes")), whole_number(tuned.at("pool_factor"))};
    manifest.tuned->validate();
  }
  if (const auto& removals = document.at("removals"); !removals.is_null()) {
    manifest.removals_file = plain_file_name(removals.at("file"));
    manifest.removals = fingerprint(removals.at("checksum"));
  }
  return manifest;
}

}  // namespace

std::string Manifest::to_text(Fingerprint& hash) const {
  json document = {{"format", kFormat},
                   {"version", kVersion},
                   {"generation", generation},
                   {"previous", previous.to_string()},
                   {"model", {{"file", model_file}, {"fingerprint", model.to_string()}}},
                   {"encoder", encoder.to_string()},
                   {"next_id", next_id},
                   {"attributes", json::object()},
                   {"segments", json::array()},
                   {"removals", nullptr}};
  for (const auto& [name, type] : attributes) {
    document["attributes"][name] = type == ColumnType::number ? "number" : "text";
  }
  for (const auto& segment : segments) {
    document["segments"].push_back(
        {{"file", segment.file}, {"rows", segment.rows}, {"checksum", segment.checksum.to_string()}});
  }
  if (tuned) {
    document["tuned"] = {{"recall", tuned->recall},
                         {"k", tuned->k},
                         {"probes", tuned->probes},
                         {"pool_factor", tuned->pool_factor}};
  }
  if (!removals_file.empty()) {
    document["removals"] = {{"file", removals_file}, {"checksum", removals.to_string()}};
  }
  std::string text = document.dump(2);
  hash = Fingerprint::of(std::as_bytes(std::span(text)));
  text += kHashMark;
  text += hash.to_string();
  text += '\n';
  return text;
}

Manifest Manifest::parse(std::string_view text, const std::string& name, Fingerprint& hash) {
  if (text.size() < kHashLine || !text.substr(text.size() - kHashLine).starts_with(kHashMark) ||
      text.back() != '\n') {
    detail::fail(ErrorCode::corrupt, name, ": expected a manifest that ends with its hash, got ", text.size(),
                 " bytes");
  }
  const std::string_view body = text.substr(0, text.size() - kHashLine);
  const std::string_view stated = text.substr(body.size() + kHashMark.size(), 32);
  hash = Fingerprint::of(std::as_bytes(std::span(body)));
  if (hash.to_string() != stated) {
    detail::fail(ErrorCode::corrupt, name, ": expected the hash ", stated, ", got ", hash.to_string());
  }
  try {
    const json document = json::parse(body);
    if (document.at("format") != kFormat)
      detail::fail(ErrorCode::corrupt, "the format is not '", kFormat, "'");
    if (document.at("version") != kVersion) {
      detail::fail(ErrorCode::unsupported, "this build reads manifest version ", kVersion, ", got ",
                   document.at("version").dump());
    }
    return from_json(document);
  } catch (const json::exception& error) {
    detail::fail(ErrorCode::corrupt, name, ": ", error.what());
  } catch (const Error& error) {
    const bool newer = error.code() == ErrorCode::unsupported;
    detail::fail(newer ? error.code() : ErrorCode::corrupt, name, ": ", error.what());
  }
}

}  // namespace medretrieval::gallery
