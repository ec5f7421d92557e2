#include <spdlog/spdlog.h>

#include <algorithm>
#include <iostream>
#include <medretrieval/gallery.hpp>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "dataset.hpp"
#include "progress_line.hpp"
#include "search_options.hpp"

namespace medretrieval::cli {

namespace {

using Json = nlohmann::ordered_json;

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

/// A description as text, or as JSON when asked.
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

struct Common {
  std::string gallery;
  bool json = false;

  void add_to(CLI::App& command) {
    command.add_option("--gallery", gallery, "Folder of the gallery")->required()->type_name("FOLDER");
    command.add_flag("--json", json, "Print JSON");
  }
};

// --- index create ---

struct CreateOptions {
  Common common;
  DatasetOptions data;
  EncoderChoice encoder;
  FeatureChoice features;
  StorageChoice storage;
  bool no_encoder = false;
  bool no_gate = false;
  int threads = 0;
};

/// A network's classes are the gallery's: a label beyond them would have no posterior.
void check_labels(const CreateOptions& options, const imaging::Manifest& manifest,
                  const std::vector<std::size_t>& rows, const std::vector<std::string>& known) {
  for (const auto row : rows) {
    for (const auto& label : manifest.rows[row].labels) {
      if (std::find(known.begin(), known.end(), label) != known.end()) continue;
      std::string names;
      for (const auto& name : known) names.append(names.empty() ? "'" : ", '").append(name).append("'");
      throw Error(ErrorCode::incompatible, options.data.manifest + ": " + manifest.rows[row].path +
                                               ": expected labels that the network knows (" + names +
                                               "), got '" + label + "'");
    }
  }
}

/// What must hold before the long work begins.
void check(const CreateOptions& options, const FeatureMaker& maker, std::size_t training_rows) {
  Gallery::require_new(options.common.gallery);
  if (options.no_encoder && options.storage.lists != 0) {
    throw Error(ErrorCode::invalid_argument, "--lists and --no-encoder: inverted lists need an encoder");
  }
  const bool own_code = maker.encoder() != nullptr && options.encoder.type.empty();
  if (own_code && !options.encoder.options.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "--option: the code of a network has none; give an --encoder too");
  }
  if (own_code && options.encoder.bits_given) {
    throw Error(ErrorCode::invalid_argument,
                "--bits: the code of a network has its own; give an --encoder too");
  }
  if (!options.no_encoder && !own_code) options.encoder.resolved(training_rows).validate();
}

/// The rows that encoder, lists and gate learn from.
struct Training {
  Matrix features;
  std::vector<std::vector<std::string>> labels;
  std::vector<std::string> patients;
};

/// A model over the features of `maker`; where that is a network, with its classes and gate, and its code
/// unless an encoder was asked for.
Model make_model(const CreateOptions& options, const Dataset& dataset, const FeatureMaker& maker,
                 const Training& training) {
  const bool is_network = maker.encoder() != nullptr;
  const bool own_code = is_network && options.encoder.type.empty() && !options.no_encoder;
  ModelOptions wanted;
  wanted.feature_source = maker.source();
  if (!options.no_encoder && !own_code) wanted.encoder = options.encoder.resolved(training.features.rows());
  options.storage.apply(wanted);
  if (own_code) wanted.lists.reset();
  wanted.gate = !options.no_gate && !is_network;
  wanted.labels = is_network ? *maker.labels() : dataset.vocabulary();
  wanted.threads = options.threads;
  wanted.progress = progress_line();
  Model model = train_model(wanted, {training.features, training.labels, training.patients});
  if (!is_network) return model;
  Model complete = with_network(model, maker, {.code = own_code, .gate = !options.no_gate});
  if (!own_code || options.storage.lists == 0) return complete;
  ModelParts parts = complete.parts();
  parts.lists = std::make_shared<const CoarseQuantizer>(
      CoarseQuantizer::train(training.features, {.lists = options.storage.lists}, options.threads));
  return Model(std::move(parts));
}

void create(const CreateOptions& options) {
  const Dataset dataset(options.data);
  const PatientSplits patients_apart = dataset.check_splits();
  const auto& manifest = dataset.manifest();
  const bool has_splits = !manifest.rows.empty() && !manifest.rows.front().split.empty();
  const auto rows = has_splits ? manifest.rows_of("train") : dataset.all_rows();
  const auto database = has_splits ? manifest.rows_of("database") : dataset.all_rows();
  const auto items = dataset.items(database);
  if (items.empty()) {
    throw Error(ErrorCode::invalid_argument,
                options.data.manifest + ": expected rows of split 'database', got none");
  }
  const auto maker = FeatureMaker::chosen(options.features);
  check(options, *maker, rows.size());
  if (maker->labels() != nullptr) {
    check_labels(options, manifest, rows, *maker->labels());
    check_labels(options, manifest, database, *maker->labels());
  }
  spdlog::info("{} training images, {} for the gallery", rows.size(), database.size());
  Training training;
  training.features = dataset.features(rows, *maker, options.threads).features;
  for (const auto row : rows) {
    training.labels.push_back(manifest.rows[row].labels);
    training.patients.push_back(manifest.rows[row].patient);
  }
  const Model model = make_model(options, dataset, *maker, training);
  const Matrix features =
      has_splits ? dataset.features(database, *maker, options.threads).features : training.features.clone();
  Gallery gallery = Gallery::create(options.common.gallery, model);
  maker->keep_in(options.common.gallery);
  gallery.add(features, items, options.threads, progress_line());
  Json description = describe(gallery.commit());
  description["patients_in_two_splits"] = patients_apart.in_two_splits;
  print(description, options.common.json);
}

void add_create(CLI::App& index) {
  auto* command = index.add_subcommand("create", "Make a gallery from a folder of images");
  command->footer(
      "Rows of split 'train' fit encoder and gate, rows of split 'database' become the gallery; without a\n"
      "split column every row does both.\n\nExample:\n"
      "  medretrieval index create --gallery g --data images --manifest images/manifest.csv --encoder itq\n"
      "  medretrieval index create --gallery g --data images --manifest images/manifest.csv --network "
      "trained\n\n"
      "Encoders and their options (--option NAME=VALUE):\n" +
      encoder_options_help());
  auto options = std::make_shared<CreateOptions>();
  options->common.add_to(*command);
  options->data.add_to(*command, true);
  options->data.add_leak_flag(*command);
  options->encoder.add_to(*command);
  options->features.add_to(*command);
  options->storage.add_to(*command);
  command->add_flag("--no-encoder", options->no_encoder, "Store features only, for exact search");
  command->add_flag("--no-gate", options->no_gate, "Do not learn a class gate");
  command->add_option("--threads", options->threads, "0: all")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command->callback([options] { create(*options); });
}

// --- index add ---

struct AddOptions {
  Common common;
  DatasetOptions data;
  std::string split;
  bool upsert = false;
  int threads = 0;
};

void add(const AddOptions& options) {
  const Dataset dataset(options.data);
  const auto rows = options.split.empty() ? dataset.all_rows() : dataset.manifest().rows_of(options.split);
  Gallery gallery = Gallery::open(options.common.gallery);
  const auto maker = FeatureMaker::of_gallery(options.common.gallery, gallery.model());
  const auto items = dataset.items(rows, gallery.snapshot().attributes());
  const Matrix features = dataset.features(rows, *maker, options.threads).features;
  if (options.upsert) {
    gallery.upsert(features, items, options.threads, progress_line());
  } else {
    gallery.add(features, items, options.threads, progress_line());
  }
  print(describe(gallery.commit()), options.common.json);
}

void add_add(CLI::App& index) {
  auto* command = index.add_subcommand("add", "Add images to a gallery");
  command->footer(
      "Adds all rows, whatever their split, unless --split is given.\n\nExample:\n  medretrieval index add "
      "--gallery g --data more --manifest more/manifest.csv --upsert\n");
  auto options = std::make_shared<AddOptions>();
  options->common.add_to(*command);
  options->data.add_to(*command, true);
  command->add_option("--split", options->split, "Only rows of this split");
  command->add_flag("--upsert", options->upsert,
                    "Replace items whose path is there already, instead of refusing");
  command->add_option("--threads", options->threads, "0: all")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command->callback([options] { add(*options); });
}

// --- index remove ---

struct RemoveOptions {
  Common common;
  std::vector<ItemId> ids;
  std::vector<std::string> keys;
  std::vector<std::string> patients;
};

void remove(const RemoveOptions& options) {
  if (options.ids.empty() && options.keys.empty() && options.patients.empty()) {
    throw Error(ErrorCode::invalid_argument, "index remove: expected --id, --key or --patient");
  }
  Gallery gallery = Gallery::open(options.common.gallery);
  const Snapshot snapshot = gallery.snapshot();
  std::vector<ItemId> ids = options.ids;
  for (const auto& key : options.keys) {
    const auto id = snapshot.find_key(key);
    if (!id) throw Error(ErrorCode::not_found, "the gallery has no item with the key '" + key + "'");
    ids.push_back(*id);
  }
  for (const auto& patient : options.patients) {
    const std::size_t before = ids.size();
    for (const auto id : snapshot.ids()) {
      if (snapshot.item(id).patient == patient) ids.push_back(id);
    }
    if (ids.size() == before)
      throw Error(ErrorCode::not_found, "the gallery has no item of patient '" + patient + "'");
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  gallery.remove(ids);
  print(describe(gallery.commit()), options.common.json);
}

void add_remove(CLI::App& index) {
  auto* command = index.add_subcommand("remove", "Remove items; their ids are never used again");
  command->footer(
      "Examples:\n  medretrieval index remove --gallery g --id 17 --id 18\n"
      "  medretrieval index remove --gallery g --patient P0042\n");
  auto options = std::make_shared<RemoveOptions>();
  options->common.add_to(*command);
  command->add_option("--id", options->ids, "Id of an item; may be given several times");
  command->add_option("--key", options->keys, "Key of an item; may be given several times");
  command->add_option("--patient", options->patients, "All items of a patient; may be given several times");
  command->callback([options] { remove(*options); });
}

// --- index info, verify, compact ---

void add_reading(CLI::App& index) {
  auto* info = index.add_subcommand("info", "Describe a gallery");
  info->footer("Example:\n  medretrieval index info --gallery g --json\n");
  auto info_options = std::make_shared<Common>();
  info_options->add_to(*info);
  info->callback(
      [info_options] { print(describe(Snapshot::open(info_options->gallery)), info_options->json); });

  auto* verify = index.add_subcommand("verify", "Read a whole gallery and check everything in it");
  verify->footer("Example:\n  medretrieval index verify --gallery g\n");
  auto verify_options = std::make_shared<Common>();
  verify_options->add_to(*verify);
  verify->callback([verify_options] {
    const Snapshot snapshot = Snapshot::open(verify_options->gallery);
    snapshot.verify(progress_line());
    const Json answer = {
        {"verified", true}, {"items", snapshot.size()}, {"fingerprint", snapshot.fingerprint().to_string()}};
    print(answer, verify_options->json);
  });

  auto* compact = index.add_subcommand("compact", "Merge small segments and drop removed rows");
  compact->footer("Example:\n  medretrieval index compact --gallery g\n");
  auto compact_options = std::make_shared<Common>();
  auto settings = std::make_shared<CompactOptions>();
  compact_options->add_to(*compact);
  compact->add_option("--merge-below", settings->merge_below, "Merge segments with fewer items than this")
      ->capture_default_str();
  compact->callback([compact_options, settings] {
    settings->progress = progress_line();
    print(describe(Gallery::open(compact_options->gallery).compact(*settings)), compact_options->json);
  });
}

}  // namespace

void add_index_commands(CLI::App& app) {
  auto* index = app.add_subcommand("index", "Make and keep galleries");
  index->require_subcommand(1);
  add_create(*index);
  add_add(*index);
  add_remove(*index);
  add_reading(*index);
}

}  // namespace medretrieval::cli
