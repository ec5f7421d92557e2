#include <spdlog/spdlog.h>

#include <algorithm>
#include <iostream>
#include <medretrieval/tuning.hpp>
#include <medretrieval/vector_files.hpp>
#include <nlohmann/json.hpp>
#include <optional>

#include "command.hpp"
#include "progress_line.hpp"
#include "search_options.hpp"

namespace medretrieval::cli {

namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::string gallery;
  std::string queries;
  std::size_t sample = 1000;
  TuningOptions tuning;
  bool dry_run = false;
  bool json = false;
};

/// Queries with what is known of them.
struct Queries {
  Matrix features;
  std::vector<QueryContext> contexts;
};

/// Items spread evenly over the gallery, each left out of its own answers together with its patient.
Queries drawn_items(const Snapshot& snapshot, std::size_t count) {
  const auto ids = snapshot.ids();
  count = std::min(count, ids.size());
  Queries queries = {Matrix(count, snapshot.model().dimension()), {}};
  for (std::size_t q = 0; q < count; ++q) {
    const ItemId id = ids[q * ids.size() / count];
    const auto features = snapshot.features(id);
    std::copy(features.begin(), features.end(), queries.features.row(q).begin());
    queries.contexts.push_back({.patient = snapshot.item(id).patient, .self = id});
  }
  return queries;
}

Json to_json(const TuningResult& result) {
  Json tried = Json::array();
  for (const auto& each : result.tried) {
    tried.push_back({{"probes", each.probes},
                     {"pool_factor", each.pool_factor},
                     {"recall", each.recall},
                     {"microseconds", each.microseconds == 0 ? Json(nullptr) : Json(each.microseconds)}});
  }
  return {{"probes", result.chosen->probes},
          {"pool_factor", result.chosen->pool_factor},
          {"recall", result.chosen->recall},
          {"k", result.chosen->k},
          {"tried", tried}};
}

void print(const Json& answer) {
  for (const auto& each : answer["tried"]) {
    std::cout << "probes " << each["probes"] << ", pool factor " << each["pool_factor"] << ": recall "
              << each["recall"];
    if (!each["microseconds"].is_null())
      std::cout << ", " << each["microseconds"].get<double>() << " us a query";
    std::cout << '\n';
  }
  std::cout << "chosen: probes " << answer["probes"] << ", pool factor " << answer["pool_factor"]
            << ", recall " << answer["recall"] << " at " << answer["k"] << '\n';
}

void run(const Options& options) {
  options.tuning.validate();
  std::optional<Gallery> gallery;  // open for writing only where something will be written
  if (!options.dry_run) gallery = Gallery::open(options.gallery);
  const Snapshot snapshot = gallery ? gallery->snapshot() : Snapshot::open(options.gallery);
  const Queries queries = options.queries.empty() ? drawn_items(snapshot, options.sample)
                                                  : Queries{read_npy(options.queries), {}};
  const auto result = tune_search(Searcher(snapshot), queries.features, options.tuning, queries.contexts);
  if (!result.chosen) {
    const auto best = std::max_element(result.tried.begin(), result.tried.end(),
                                       [](const auto& a, const auto& b) { return a.recall < b.recall; });
    const std::string reached = best == result.tried.end() ? "nothing" : std::to_string(best->recall);
    throw Error(ErrorCode::not_found, "no setting reaches a recall of " +
                                          std::to_string(options.tuning.recall) +
                                          "; the best of those tried reaches " + reached);
  }
  if (gallery) gallery->set_tuned_search(result.chosen);
  const Json answer = to_json(result);
  if (options.json) {
    std::cout << answer.dump(2) << '\n';
  } else {
    print(answer);
  }
}

}  // namespace

void add_tune_command(CLI::App& app) {
  auto* command = app.add_subcommand(
      "tune", "Choose search parameters that reach a recall, and store them in the gallery");
  command->footer(
      "Recall is the share of the exact k nearest that a search returns. Without --queries, items of the "
      "gallery ask, each\n"
      "without itself and its patient; features that the gallery never saw are the better test.\n\nExample:\n"
      "  medretrieval tune --gallery g --recall 0.95\n");
  auto options = std::make_shared<Options>();
  options->tuning.progress = progress_line();
  command->add_option("--gallery", options->gallery, "Folder of the gallery")
      ->required()
      ->type_name("FOLDER");
  command->add_option("--recall", options->tuning.recall, "Wanted share of the exact nearest")
      ->capture_default_str();
  command->add_option("-k", options->tuning.k, "Answers")->capture_default_str();
  command->add_option("--queries", options->queries, "Features to ask with, an npy file")->type_name("FILE");
  command->add_option("--sample", options->sample, "Items that ask when there are no --queries")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  add_threads_option(*command, options->tuning.threads);
  command->add_flag("--dry-run", options->dry_run, "Do not store the choice");
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options] { run(*options); });
}

}  // namespace medretrieval::cli
