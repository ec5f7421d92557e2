#include <algorithm>
#include <cmath>
#include <iomanip>
#include <iostream>
#include <medretrieval/imaging/dicom.hpp>
#include <medretrieval/imaging/load.hpp>
#include <medretrieval/searcher.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "command.hpp"
#include "explanation.hpp"
#include "feature_maker.hpp"
#include "search_options.hpp"

namespace medretrieval::cli {

namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::string gallery;
  std::string image;
  imaging::LoadOptions load;
  CascadeChoice cascade;
  std::size_t k = 10;
  bool exact = false;
  bool widen = false;
  std::string patient;
  bool keep_own_patient = false;
  std::vector<std::string> labels;
  std::vector<std::string> modalities;
  std::string from;
  std::string to;
  std::string group_by = "image";
  int threads = 0;
  std::string explain;
  bool json = false;
};

/// The patient of a query: as given, else as a DICOM file states it.
std::string patient_of(const Options& options) {
  if (!options.patient.empty()) return options.patient;
  if (imaging::detect_file_kind(options.image) != imaging::FileKind::dicom) return "";
  return imaging::DicomFile(options.image).tag("PatientID");
}

SearchOptions search_options(const Options& options, const Snapshot& snapshot) {
  SearchOptions search;
  search.k = options.k;
  search.exact = options.exact;
  options.cascade.apply(snapshot.tuned_search(), search);
  search.widen_gate = options.widen;
  search.exclude_own_patient = !options.keep_own_patient;
  search.threads = options.threads;
  search.filter.labels = options.labels;
  search.filter.modalities = options.modalities;
  if (!options.from.empty()) search.filter.from = Date::parse(options.from);
  if (!options.to.empty()) search.filter.to = Date::parse(options.to);
  if (options.group_by == "study") search.group_by = GroupBy::study;
  if (options.group_by == "patient") search.group_by = GroupBy::patient;
  return search;
}

Json to_json(const Item& item) {
  Json attributes = Json::object();
  for (const auto& [name, value] : item.attributes) {
    std::visit([&, &key = name](const auto& each) { attributes[key] = each; }, value);
  }
  return {{"key", item.key},           {"labels", item.labels},
          {"patient", item.patient},   {"study", item.study},
          {"modality", item.modality}, {"date", item.date ? Json(item.date->to_string()) : Json(nullptr)},
          {"source", item.source},     {"attributes", attributes}};
}

Json to_json(const Options& options, const Snapshot& snapshot, const SearchResult& result,
             const std::string& patient) {
  Json hits = Json::array();
  for (std::size_t i = 0; i < result.hits.size(); ++i) {
    const Hit& hit = result.hits[i];
    Json entry = {{"rank", i + 1}, {"id", hit.id}, {"distance", hit.distance}, {"code_distance", nullptr}};
    if (!std::isnan(hit.code_distance)) entry["code_distance"] = hit.code_distance;
    entry.update(to_json(snapshot.item(hit.id)));
    hits.push_back(std::move(entry));
  }
  std::vector<std::string> classes;
  for (const auto label : result.classes_searched) classes.push_back(snapshot.model().labels().name(label));
  return {{"gallery", options.gallery},
          {"fingerprint", snapshot.fingerprint().to_string()},
          {"image", options.image},
          {"excluded_patient", options.keep_own_patient ? "" : patient},
          {"classes_searched", classes},
          {"eligible", result.eligible},
          {"pool_size", result.pool_size},
          {"shortfall", result.shortfall},
          {"hits", hits}};
}

/// Columns as wide as their longest cell, two blanks between.
void print_aligned(const std::vector<std::vector<std::string>>& table) {
  std::vector<std::size_t> widths(table.front().size());
  for (const auto& line : table) {
    for (std::size_t c = 0; c < line.size(); ++c) widths[c] = std::max(widths[c], line[c].size());
  }
  for (const auto& line : table) {
    for (std::size_t c = 0; c + 1 < line.size(); ++c) {
      std::cout << std::left << std::setw(static_cast<int>(widths[c] + 2)) << line[c];
    }
    std::cout << line.back() << '\n';
  }
}

void print(const Json& answer) {
  if (!answer["classes_searched"].empty())
    std::cout << "classes searched: " << answer["classes_searched"].dump() << '\n';
  std::vector<std::vector<std::string>> table = {{"rank", "id", "distance", "patient", "labels", "source"}};
  for (const auto& hit : answer["hits"]) {
    std::string labels;
    for (const auto& label : hit["labels"]) labels += (labels.empty() ? "" : "|") + label.get<std::string>();
    std::ostringstream distance;
    distance << hit["distance"].get<float>();
    table.push_back({hit["rank"].dump(), hit["id"].dump(), distance.str(), hit["patient"].get<std::string>(),
                     labels, hit["source"].get<std::string>()});
  }
  print_aligned(table);
  if (answer["shortfall"] != 0) {
    std::cout << answer["shortfall"] << " fewer than asked for: only " << answer["eligible"]
              << " items are eligible\n";
  }
}

void run(const Options& options) {
  const Snapshot snapshot = Snapshot::open(options.gallery);
  const auto maker = FeatureMaker::of_gallery(options.gallery, snapshot.model());
  const imaging::Image image = imaging::load_image(options.image, options.load);
  const ImageFeatures query = maker->of_image(image, options.threads);
  const std::string patient = patient_of(options);
  QueryContext context = {.patient = patient};
  if (query.posteriors.rows() > 0) {
    const auto posterior = query.posteriors.row(0);
    context.posterior.assign(posterior.begin(), posterior.end());
  }
  const auto result =
      Searcher(snapshot).search(query.features.row(0), search_options(options, snapshot), context);
  Json answer = to_json(options, snapshot, result, patient);
  if (!options.explain.empty()) {
    write_explanation(options.explain, snapshot, *maker, image, query.features.row(0), result,
                      options.threads);
    for (std::size_t i = 0; i < result.hits.size(); ++i) {
      answer["hits"][i]["agreeing_bits"] =
          agreeing_bits(snapshot.model(), query.features.row(0), snapshot.features(result.hits[i].id));
    }
  }
  if (options.json) {
    std::cout << answer.dump(2) << '\n';
  } else {
    print(answer);
  }
}

}  // namespace

void add_search_command(CLI::App& app) {
  auto* command = app.add_subcommand("search", "Find the items of a gallery most like an image");
  command->footer(
      "Examples:\n  medretrieval search --gallery g --image case.dcm\n"
      "  medretrieval search --gallery g --image case.png --gate adaptive --group-by patient -k 5 --json\n");
  auto options = std::make_shared<Options>();
  command->add_option("--gallery", options->gallery, "Folder of the gallery")
      ->required()
      ->type_name("FOLDER");
  command->add_option("--image", options->image, "PNG, JPEG, TIFF, DICOM or MetaImage file")
      ->required()
      ->type_name("FILE");
  command->add_option("--frame", options->load.frame, "Frame of a DICOM file or slice of a volume, from 0")
      ->capture_default_str();
  command->add_option("-k", options->k, "Answers")
      ->check(CLI::Range(0, 1'000'000'000))
      ->capture_default_str();
  options->cascade.add_to(*command);
  command->add_flag("--exact", options->exact, "Compare features with every eligible item, without a pool");
  command->add_flag("--widen", options->widen,
                    "Let the gate admit further classes when fewer than k items are eligible");
  command->add_option("--patient", options->patient,
                      "The image's patient, left out of the answers (default: the DICOM tag)");
  command->add_flag("--keep-own-patient", options->keep_own_patient,
                    "Do not leave out the image's own patient");
  command->add_option("--label", options->labels, "Only items with this label; may be given several times");
  command->add_option("--modality", options->modalities,
                      "Only items of this modality; may be given several times");
  command->add_option("--from", options->from, "Only items of this date or later, YYYY-MM-DD");
  command->add_option("--to", options->to, "Only items of this date or earlier, YYYY-MM-DD");
  command->add_option("--group-by", options->group_by, "One answer for each image, study or patient")
      ->check(CLI::IsMember({"image", "study", "patient"}))
      ->capture_default_str();
  command
      ->add_option(
          "--explain", options->explain,
          "Write a PNG: where the network looked in the image and in each answer, and how many bits agree")
      ->type_name("PNG");
  add_threads_option(*command, options->threads);
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options] { run(*options); });
}

}  // namespace medretrieval::cli
