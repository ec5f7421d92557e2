#include <spdlog/spdlog.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <medretrieval/eval/report.hpp>
#include <medretrieval/gallery.hpp>
#include <medretrieval/imaging/load.hpp>
#include <medretrieval/imaging/phantom.hpp>
#include <medretrieval/searcher.hpp>

#include "command.hpp"
#include "dataset.hpp"
#include "progress_line.hpp"
#include "search_options.hpp"

namespace medretrieval::cli {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBits = 64;
constexpr std::size_t kSheets = 6;
constexpr std::size_t kThumbnailSide = 128;

struct Options {
  DatasetOptions data;
  FeatureChoice features;
  CascadeChoice cascade;
  std::string out = "medretrieval-demo";
  bool overwrite = false;
  imaging::PhantomKind kind = imaging::PhantomKind::chest_ct;
  int threads = 0;
  bool json = false;
};

/// The output folder, empty but for what is not ours.
void prepare_folder(const Options& options) {
  const fs::path out = options.out;
  if (options.overwrite) {
    for (const char* name : {"galleries", "phantoms", "report.html", "results.json"})
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

/// Everything the five methods share.
struct Material {
  std::vector<std::size_t> training_rows;
  Matrix training;
  Matrix database;
  Matrix queries;
  std::vector<std::vector<std::string>> training_labels;
  std::vector<std::string> training_patients;
  std::vector<Item> database_items;
  std::vector<Item> query_items;
};

Material gather(const Dataset& dataset, const FeatureMaker& maker, int threads) {
  const auto& manifest = dataset.manifest();
  const auto database = manifest.rows_of("database");
  const auto queries = manifest.rows_of("query");
  Material material;
  material.training_rows = manifest.rows_of("train");
  if (material.training_rows.empty() || database.empty() || queries.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "the manifest needs rows of the splits train, database and query; it has " +
                    std::to_string(material.training_rows.size()) + ", " + std::to_string(database.size()) +
                    " and " + std::to_string(queries.size()));
  }
  material.training = dataset.features(material.training_rows, maker, threads).features;
  material.database = dataset.features(database, maker, threads).features;
  material.queries = dataset.features(queries, maker, threads).features;
  for (const auto row : material.training_rows) {
    material.training_labels.push_back(manifest.rows[row].labels);
    material.training_patients.push_back(manifest.rows[row].patient);
  }
  material.database_items = dataset.items(database);
  material.query_items = dataset.items(queries);
  return material;
}

/// The gallery of one method, written below the output folder.
Snapshot build(const std::string& method, const Material& material,
               const std::vector<std::string>& vocabulary, const FeatureMaker& maker,
               const Options& options) {
  ModelOptions wanted;
  wanted.feature_source = maker.source();
  if (method != "exact") wanted.encoder = encoder_of_bits(method, kBits, material.training.rows());
  wanted.labels = vocabulary;
  wanted.threads = options.threads;
  wanted.progress = progress_line();
  const Model model =
      train_model(wanted, {material.training, material.training_labels, material.training_patients});
  Gallery gallery = Gallery::create(fs::path(options.out) / "galleries" / method, model);
  gallery.add(material.database, material.database_items, options.threads, progress_line());
  return gallery.commit();
}

std::string joined(const std::vector<std::string>& labels) {
  std::string text;
  for (const auto& label : labels) text += (text.empty() ? "" : ", ") + label;
  return text;
}

eval::SheetPicture picture(const Item& item, const std::string& detail, bool relevant) {
  const auto image = imaging::load_image(item.source);
  return {imaging::encode_png(imaging::thumbnail(image, kThumbnailSide)), joined(item.labels) + "\n" + detail,
          relevant};
}

/// Queries spread over the set, each beside its ten hits.
std::vector<eval::ContactSheet> contact_sheets(const Snapshot& snapshot, const Material& material,
                                               const SearchOptions& search) {
  std::vector<eval::ContactSheet> sheets;
  const Searcher searcher(snapshot);
  const std::size_t count = std::min(kSheets, material.query_items.size());
  for (std::size_t s = 0; s < count; ++s) {
    const std::size_t q = s * material.query_items.size() / count;
    const Item& query = material.query_items[q];
    const auto result = searcher.search(material.queries.row(q), search, {.patient = query.patient});
    eval::ContactSheet sheet;
    sheet.title = "Query " + std::to_string(s + 1) + ": " + joined(query.labels);
    sheet.query = picture(query, "query, patient " + query.patient, false);
    for (const auto& hit : result.hits) {
      const Item item = snapshot.item(hit.id);
      const bool relevant = std::any_of(item.labels.begin(), item.labels.end(), [&](const auto& label) {
        return std::find(query.labels.begin(), query.labels.end(), label) != query.labels.end();
      });
      char distance[48];
      std::snprintf(distance, sizeof distance, "distance %.4g", static_cast<double>(hit.distance));
      sheet.hits.push_back(picture(item, distance, relevant));
    }
    sheets.push_back(std::move(sheet));
  }
  return sheets;
}

void run(const Options& options) {
  const bool phantoms = options.data.folder.empty();
  if (!phantoms) Dataset(options.data).check_splits();  // before an earlier demo goes
  prepare_folder(options);
  const DatasetOptions data = phantoms ? make_phantoms(options) : options.data;
  const Dataset dataset(data);
  const PatientSplits patients = patient_splits(dataset.manifest());
  const auto maker = FeatureMaker::chosen(options.features);
  const Material material = gather(dataset, *maker, options.threads);
  spdlog::info("{} training, {} database, {} query images; {} dimensions", material.training.rows(),
               material.database.rows(), material.queries.rows(), maker->dimension());

  std::vector<eval::EvaluationRow> rows;
  std::vector<eval::ContactSheet> sheets;
  for (const std::string method : {"lsh", "itq", "pq", "opq", "exact"}) {
    spdlog::info("{}: training, indexing, evaluating", method);
    const Snapshot snapshot = build(method, material, dataset.vocabulary(), *maker, options);
    SearchOptions search;
    options.cascade.apply(snapshot.tuned_search(), search);
    const auto found = eval::evaluate(snapshot, {material.queries, material.query_items},
                                      {.gate = search.gate,
                                       .pool_factor = search.pool_factor,
                                       .probes = search.probes,
                                       .rerank = search.rerank,
                                       .threads = options.threads,
                                       .progress = progress_line()});
    rows.insert(rows.end(), found.begin(), found.end());
    if (method == "itq") {
      if (snapshot.model().gate() == nullptr) search.gate.mode = GateMode::off;
      sheets = contact_sheets(snapshot, material, search);
    }
  }

  eval::Report report;
  report.title = "medretrieval: similar cases";
  report.notes = {
      phantoms ? "SYNTHETIC phantoms drawn by this program; no patient was imaged."
               : "Data: " + data.manifest,
      std::to_string(material.training.rows()) + " training, " + std::to_string(material.database.rows()) +
          " database and " + std::to_string(material.queries.rows()) +
          " query images; features: " + maker->name() + ", " + std::to_string(maker->dimension()) +
          " dimensions. The pictures below are answers of itq through the cascade; green frames share a "
          "label with the query.",
      patients.sentence()};
  report.rows = rows;
  report.sheets = std::move(sheets);
  eval::write_report(fs::path(options.out) / "report.html", report);
  const std::string json = json_results(rows, patients);
  std::ofstream results(fs::path(options.out) / "results.json");
  if (!(results << json).flush()) throw Error(ErrorCode::io, options.out + "/results.json: cannot write");
  std::cout << (options.json ? json : eval::text_table(rows) + "\n" + patients.sentence() + "\n");
  spdlog::info("report: {}/report.html; galleries: {}/galleries", options.out, options.out);
}

}  // namespace

void add_demo_command(CLI::App& app) {
  auto* command =
      app.add_subcommand("demo", "Features, five indexes, a table and a report, from images or phantoms");
  command->footer(
      "Without --data it draws SYNTHETIC phantoms first. A manifest with a patient in two splits is "
      "refused.\n\nExamples:\n  medretrieval demo --out demo\n"
      "  medretrieval demo --data images --manifest images/manifest.csv --json\n");
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
  command->add_option("--threads", options->threads, "0: all")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options] { run(*options); });
}

}  // namespace medretrieval::cli
