#include <spdlog/spdlog.h>

#include <iostream>
#include <medretrieval/eval/report.hpp>

#include "command.hpp"
#include "dataset.hpp"
#include "progress_line.hpp"
#include "search_options.hpp"

namespace medretrieval::cli {

namespace {

struct Options {
  std::string gallery;
  DatasetOptions data;
  CascadeChoice cascade;
  std::string split = "query";
  std::size_t k = 10;
  int threads = 0;
  bool json = false;
};

void run(const Options& options) {
  const Snapshot snapshot = Snapshot::open(options.gallery);
  const auto maker = FeatureMaker::of_gallery(options.gallery, snapshot.model());
  const Dataset dataset(options.data);
  const PatientSplits patients = dataset.check_splits();
  const auto rows = dataset.manifest().rows_of(options.split);
  if (rows.empty()) {
    throw Error(ErrorCode::invalid_argument,
                options.data.manifest + ": no rows of split '" + options.split + "'");
  }
  const ImageFeatures asked = dataset.features(rows, *maker, options.threads);
  const auto items = dataset.items(rows);
  SearchOptions search;
  options.cascade.apply(snapshot.tuned_search(), search);
  const auto table = eval::evaluate(snapshot, {asked.features, items, asked.posteriors},
                                    {.k = options.k,
                                     .gate = search.gate,
                                     .pool_factor = search.pool_factor,
                                     .probes = search.probes,
                                     .rerank = search.rerank,
                                     .threads = options.threads,
                                     .progress = progress_line()});
  std::cout << (options.json ? json_results(table, patients)
                             : eval::text_table(table) + "\n" + patients.sentence() + "\n");
}

}  // namespace

void add_evaluate_command(CLI::App& app) {
  auto* command = app.add_subcommand("evaluate", "Measure a gallery with labelled queries");
  command->footer(
      "Relevant is an item that shares a label with the query; the query's own patient is left "
      "out. A manifest with a patient in two splits is refused.\n\nExample:\n"
      "  medretrieval evaluate --gallery g --data images --manifest images/manifest.csv --json\n");
  auto options = std::make_shared<Options>();
  options->cascade.gate = eval::EvaluationOptions().gate;
  command->add_option("--gallery", options->gallery, "Folder of the gallery")
      ->required()
      ->type_name("FOLDER");
  options->data.add_to(*command, true);
  options->data.add_leak_flag(*command);
  options->cascade.add_to(*command);
  command->add_option("--split", options->split, "Rows that ask")->capture_default_str();
  command->add_option("-k", options->k, "Answers that count")
      ->check(CLI::Range(0, 1'000'000'000))
      ->capture_default_str();
  add_threads_option(*command, options->threads);
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options] { run(*options); });
}

}  // namespace medretrieval::cli
