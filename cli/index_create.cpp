#include "index_create.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "dataset.hpp"
#include "gallery_description.hpp"
#include "progress_line.hpp"
#include "search_options.hpp"

namespace medretrieval::cli {

namespace {

struct CreateOptions {
  GalleryChoice common;
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
      throw Error(ErrorCode::incompatible,
                  fmt::format("{}: {}: expected labels that the network knows ('{}'), got '{}'",
                              options.data.manifest, manifest.rows[row].path,
                              CLI::detail::join(known, "', '"), label));
    }
  }
}

bool is_network(const FeatureMaker& maker) {
  return maker.encoder() != nullptr;
}

/// Whether a network's own code is taken.
bool has_own_code(const CreateOptions& options, const FeatureMaker& maker) {
  return is_network(maker) && options.encoder.type.empty() && !options.no_encoder;
}

/// Whether anything is learned from training rows; a network brings its classes, its gate and perhaps its code along.
bool learns(const CreateOptions& options, const FeatureMaker& maker) {
  const bool trains_encoder = !options.no_encoder && !has_own_code(options, maker);
  return !is_network(maker) || trains_encoder || options.storage.lists != 0;
}

void refuse(bool wrong, const std::string& message) {
  if (wrong) throw Error(ErrorCode::invalid_argument, message);
}

/// What must hold before the long work begins.
void check(const CreateOptions& options, const FeatureMaker& maker, std::size_t training_rows) {
  Gallery::require_new(options.common.gallery);
  const auto& encoder = options.encoder;
  refuse(options.no_encoder && options.storage.lists != 0,
         "--lists and --no-encoder: inverted lists need an encoder");
  refuse(options.no_encoder && (!encoder.type.empty() || encoder.bits_given || !encoder.options.empty()),
         "--no-encoder: expected no --encoder, --bits or --option beside it");
  const bool own_code = has_own_code(options, maker);
  refuse(own_code && !encoder.options.empty(),
         "--option: the code of a network has none; give an --encoder too");
  refuse(own_code && encoder.bits_given, "--bits: the code of a network has its own; give an --encoder too");
  if (!options.no_encoder && !own_code) encoder.resolved(training_rows).validate();
  if (own_code && !maker.has_learned_code()) {
    spdlog::warn(
        "nothing taught the hash layer of this network, its codes are those of random projections; "
        "an --encoder learns others");
  }
}

/// The rows that encoder, lists and gate learn from.
struct Training {
  Matrix features;
  std::vector<std::vector<std::string>> labels;
  std::vector<std::string> patients;
};

Training training_rows(const Dataset& dataset, const std::vector<std::size_t>& rows,
                       const FeatureMaker& maker, int threads) {
  Training training;
  training.features = dataset.features(rows, maker, threads).features;
  for (const auto row : rows) {
    training.labels.push_back(dataset.manifest().rows[row].labels);
    training.patients.push_back(dataset.manifest().rows[row].patient);
  }
  return training;
}

/// A model over the features of `maker`, all of it learned here.
ModelParts learned_parts(const CreateOptions& options, const Dataset& dataset, const FeatureMaker& maker,
                         const Training& training) {
  ModelOptions wanted;
  wanted.feature_source = maker.source();
  if (!options.no_encoder) wanted.encoder = options.encoder.resolved(training.features.rows());
  options.storage.apply(wanted);
  wanted.gate = !options.no_gate && !is_network(maker);
  wanted.labels = is_network(maker) ? *maker.labels() : dataset.vocabulary();
  wanted.threads = options.threads;
  wanted.progress = progress_line();
  return train_model(wanted, {training.features, training.labels, training.patients}).parts();
}

/// A model over the features of a network, with its classes and gate, and its code unless an encoder was asked for.
Model network_model(const CreateOptions& options, const Dataset& dataset, const FeatureMaker& network,
                    const Training& training) {
  ModelParts parts = parts_of_network(network);
  if (options.no_gate) parts.gate = nullptr;
  parts.stored_features = options.storage.stored_features;
  if (options.no_encoder) parts.encoder = nullptr;
  if (has_own_code(options, network) && options.storage.lists != 0) {
    parts.lists = std::make_shared<const CoarseQuantizer>(
        CoarseQuantizer::train(training.features, {.lists = options.storage.lists}, options.threads));
  } else if (learns(options, network)) {
    ModelParts learned = learned_parts(options, dataset, network, training);
    parts.encoder = std::move(learned.encoder);
    parts.lists = std::move(learned.lists);
  }
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
  const bool learns_here = learns(options, *maker);
  if (maker->labels() != nullptr) {
    if (learns_here) check_labels(options, manifest, rows, *maker->labels());
    check_labels(options, manifest, database, *maker->labels());
  }
  spdlog::info("{} training images, {} for the gallery", learns_here ? rows.size() : 0, database.size());
  const Training training = learns_here ? training_rows(dataset, rows, *maker, options.threads) : Training{};
  const Model model = is_network(*maker) ? network_model(options, dataset, *maker, training)
                                         : Model(learned_parts(options, dataset, *maker, training));
  const Matrix features = learns_here && !has_splits
                              ? training.features.clone()
                              : dataset.features(database, *maker, options.threads).features;
  Gallery gallery = Gallery::create(options.common.gallery, model);
  maker->keep_in(options.common.gallery);
  gallery.add(features, items, options.threads, progress_line());
  auto description = describe(gallery.commit());
  description["patients_in_two_splits"] = patients_apart.in_two_splits;
  print(description, options.common.json);
}

}  // namespace

void add_index_create(CLI::App& index) {
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
  add_threads_option(*command, options->threads);
  command->callback([options] { create(*options); });
}

}  // namespace medretrieval::cli
