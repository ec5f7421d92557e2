#include <spdlog/spdlog.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <medretrieval/eval/report.hpp>
#include <medretrieval/imaging/phantom.hpp>

#include "command.hpp"
#include "demo_methods.hpp"
#include "demo_network.hpp"
#include "heat_map.hpp"
#include "progress_line.hpp"

namespace medretrieval::cli {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kThumbnailSide = 128;

struct Options {
  DatasetOptions data;
  FeatureChoice features;
  CascadeChoice cascade;
  std::string out = "medretrieval-demo";
  bool overwrite = false;
  imaging::PhantomKind kind = imaging::PhantomKind::chest_ct;
  bool deep = false;
  DemoNetworkOptions network;
  int threads = 0;
  bool json = false;
};

/// The output folder, empty but for what is not ours.
void prepare_folder(const Options& options) {
  const fs::path out = options.out;
  if (options.overwrite) {
    for (const char* name : {"galleries", "phantoms", "network", "report.html", "results.json"})
      fs::remove_all(out / name);
  }
  if (fs::exists(out / "galleries") || fs::exists(out / "phantoms")) {
    throw Error(ErrorCode::already_exists,
                options.out + ": holds an earlier demo; choose another --out or --overwrite");
  }
  fs::create_directories(out);
}

/// Phantoms in the output folder, for a demo without data.
DatasetOptions make_phantoms(const Options& options) {
  const fs::path folder = fs::path(options.out) / "phantoms";
  imaging::PhantomFolderOptions phantoms;
  phantoms.phantom.kind = options.kind;
  phantoms.threads = options.threads;
  imaging::write_phantom_folder(folder, phantoms, progress_line());
  DatasetOptions data = options.data;
  data.folder = folder.string();
  data.manifest = (folder / "manifest.csv").string();
  return data;
}

/// The methods on hand-made features.
void run_encoders(const Options& options, const Dataset& dataset, eval::Report& report) {
  const auto maker = FeatureMaker::chosen(options.features);
  const DemoMaterial material = demo_material(dataset, *maker, options.threads);
  spdlog::info("{} training, {} database, {} query images; {} dimensions", material.training.rows(),
               material.database.rows(), material.queries.rows(), maker->dimension());
  for (const std::string method : {"lsh", "itq", "pq", "opq", "exact"}) {
    spdlog::info("{}: training, indexing, evaluating", method);
    const Snapshot snapshot = demo_gallery(fs::path(options.out) / "galleries" / method, method, material,
                                           dataset.vocabulary(), *maker, options.threads);
    const auto found = demo_rows(snapshot, material, options.cascade, options.threads);
    report.rows.insert(report.rows.end(), found.begin(), found.end());
    if (method == "itq") {
      report.sheets = demo_sheets(snapshot, material, options.cascade, [](const imaging::Image& image) {
        return imaging::thumbnail(image, kThumbnailSide);
      });
    }
  }
  report.notes.push_back(
      std::to_string(material.training.rows()) + " training, " + std::to_string(material.database.rows()) +
      " database and " + std::to_string(material.queries.rows()) +
      " query images; features: " + maker->name() + ", " + std::to_string(maker->dimension()) +
      " dimensions. The pictures below are answers of itq through the cascade; green frames share a "
      "label with the query.");
}

/// A network trained on the rows of split `train`: its code, its curve and where it looked.
void run_network(const Options& options, const Dataset& dataset, eval::Report& report) {
  spdlog::info("{}: training", options.network.network);
  const DemoNetwork trained = train_for_demo(dataset, options.network, fs::path(options.out) / "network");
  const DemoMaterial material = demo_material(dataset, *trained.maker, options.threads);
  const Snapshot snapshot = demo_gallery(fs::path(options.out) / "galleries" / "network", "network", material,
                                         dataset.vocabulary(), *trained.maker, options.threads);
  for (auto& row : demo_rows(snapshot, material, options.cascade, options.threads)) {
    row.method = options.network.network;
    report.rows.push_back(std::move(row));
  }
  report.charts.insert(report.charts.end(), trained.curves.begin(), trained.curves.end());
  const auto sheets = demo_sheets(snapshot, material, options.cascade, [&](const imaging::Image& image) {
    const imaging::Image small = imaging::thumbnail(image, kThumbnailSide);
    if (!trained.maker->has_attention()) return small;
    return beside_heat_map(small, trained.maker->attention_of(image, options.threads));
  });
  for (auto sheet : sheets) {
    sheet.title = options.network.network + ", " + sheet.title;
    report.sheets.push_back(std::move(sheet));
  }
  report.notes.push_back("The last pictures are answers of " + options.network.network + ", trained for " +
                         std::to_string(options.network.epochs) + " epochs on the training images" +
                         (trained.maker->has_attention()
                              ? ": each image beside the same lit where the network looked."
                              : "; it has no map of where it looks."));
}

void run(const Options& options) {
  if (options.deep) check_demo_network(options.network);  // before anything is written
  const bool phantoms = options.data.folder.empty();
  if (!phantoms) Dataset(options.data).check_splits();  // before an earlier demo goes
  prepare_folder(options);
  const DatasetOptions data = phantoms ? make_phantoms(options) : options.data;
  const Dataset dataset(data);
  const PatientSplits patients = patient_splits(dataset.manifest());
  eval::Report report;
  report.title = "medretrieval: similar cases";
  report.notes = {phantoms ? "SYNTHETIC phantoms drawn by this program; no patient was imaged."
                           : "Data: " + data.manifest};
  run_encoders(options, dataset, report);
  if (options.deep) run_network(options, dataset, report);
  report.notes.push_back(patients.sentence());
  eval::write_report(fs::path(options.out) / "report.html", report);
  const std::string json = json_results(report.rows, patients);
  std::ofstream results(fs::path(options.out) / "results.json");
  if (!(results << json).flush()) throw Error(ErrorCode::io, options.out + "/results.json: cannot write");
  std::cout << (options.json ? json : eval::text_table(report.rows) + "\n" + patients.sentence() + "\n");
  spdlog::info("report: {}/report.html; galleries: {}/galleries", options.out, options.out);
}

}  // namespace

void add_demo_command(CLI::App& app) {
  auto* command =
      app.add_subcommand("demo", "Features, five indexes, a table and a report, from images or phantoms");
  command->footer(
      "Without --data it draws SYNTHETIC phantoms first. A manifest with a patient in two splits is "
      "refused.\n\nExamples:\n  medretrieval demo --out demo\n"
      "  medretrieval demo --data images --manifest images/manifest.csv --json\n"
      "  medretrieval demo --deep --kind chest-xray --out deep-demo\n");
  auto options = std::make_shared<Options>();
  options->cascade.gate = eval::EvaluationOptions().gate;
  options->data.add_to(*command, false);
  options->data.add_leak_flag(*command);
  options->features.add_to(*command);
  options->cascade.add_to(*command);
  const std::map<std::string, imaging::PhantomKind> kinds = {
      {"chest-ct", imaging::PhantomKind::chest_ct}, {"chest-xray", imaging::PhantomKind::chest_xray}};
  command->add_option("--kind", options->kind, "Phantoms: chest-ct or chest-xray")
      ->transform(one_of(kinds))
      ->type_name("KIND");
  command->add_option("--out", options->out, "Folder for report, galleries and phantoms")
      ->capture_default_str();
  command->add_flag("--overwrite", options->overwrite, "Replace an earlier demo in that folder");
  command->add_flag("--deep", options->deep,
                    "Train a network too: its rows, its training curve, and where it looked");
  command->add_option("--deep-model", options->network.network, "Its preset (see medretrieval train --help)")
      ->capture_default_str()
      ->needs("--deep");
  command->add_option("--deep-epochs", options->network.epochs, "Times that it sees every image")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str()
      ->needs("--deep");
  add_threads_option(*command, options->threads);
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options] {
    options->network.threads = options->threads;
    run(*options);
  });
}

}  // namespace medretrieval::cli
