// What the commands of `index` answer.
#pragma once

#include <CLI/CLI.hpp>
#include <medretrieval/gallery.hpp>
#include <nlohmann/json.hpp>
#include <string>

namespace medretrieval::cli {

/// --gallery and --json.
struct GalleryChoice {
  std::string gallery;
  bool json = false;

  void add_to(CLI::App& command);
};

nlohmann::ordered_json describe(const Snapshot& snapshot);

/// Prints a description as text, or as JSON when asked.
void print(const nlohmann::ordered_json& description, bool json);

}  // namespace medretrieval::cli
