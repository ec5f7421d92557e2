#include <spdlog/spdlog.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <medretrieval/imaging/load.hpp>
#include <medretrieval/torch/training.hpp>
#include <nlohmann/json.hpp>
#include <optional>

#include "augmentation_options.hpp"
#include "command.hpp"
#include "dataset.hpp"
#include "plan_choice.hpp"
#include "progress_line.hpp"
#include "search_options.hpp"
#include "training_images.hpp"
#include "training_log.hpp"

namespace medretrieval::cli {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct Options {
  DatasetOptions data;
  std::string out;
  std::string log;
  std::optional<std::string> split;
  std::string target_column;
  std::vector<std::string> network_options;
  PlanChoice plan;
  deep::TrainingOptions training;
  bool augment = false;
  imaging::AugmentationOptions augmentation;
  bool json = false;
};

std::string presets_help() {
  std::string help = "Networks, their options (--option) and what their plan sets:\n";
  for (const auto& name : deep::network_type_names()) {
    const auto& type = deep::network_type(name);
    help += "  " + name + ": " + type.description + "; side " + std::to_string(type.side) + ", " +
            std::to_string(type.plan.epochs) + " epochs, batch " + std::to_string(type.plan.batch) +
            ", loss " + (type.plan.objective.hashing.empty() ? "none" : type.plan.objective.hashing) + '\n' +
            options_help(type.options);
  }
  help += "Hashing losses and their options (--loss-option):\n";
  for (const auto& name : deep::hashing_loss_names()) {
    const auto info = deep::hashing_loss_info(name);
    help += "  " + name + ": " + info.description + '\n' + options_help(info.options);
  }
  return help +
         "\nExample:\n  medretrieval train --model attention-cnn-bilstm --input nodules/manifest.csv --bits "
         "64 "
         "--out nodules.network\n  medretrieval train --model fcdn --input phantoms/manifest.csv "
         "--target-column mask --out fcdn.network\n";
}

/// What a decoder learns to draw instead of the images themselves.
void add_targets(const Options& options, const Dataset& dataset, const std::vector<std::size_t>& rows,
                 deep::TrainingImages& images) {
  const auto& file = options.data.manifest;
  auto targets = masks_in(file, options.data.folder, dataset.manifest(), options.target_column, rows);
  for (const auto& target : targets) {
    if (target.is_known) continue;
    throw Error(ErrorCode::invalid_argument, file + ": line " + std::to_string(target.line) +
                                                 ": expected a file or \"" + std::string(imaging::kNoLesion) +
                                                 "\" in column '" + options.target_column +
                                                 "', got an empty cell");
  }
  for (std::size_t row = 0; row < targets.size(); ++row) {
    if (targets[row].file) images.sources[row] += "|" + source_of(*targets[row].file);
  }
  images.load_target = [load = images.load, targets = std::move(targets)](std::size_t row) {
    if (!targets[row].file) return imaging::load_mask(targets[row], 1, 1);  // black, of any size
    const auto image = load(row);                                           // for its size
    return imaging::load_mask(targets[row], image.width(), image.height());
  };
}

/// So that a slip is told before the training and not after its first epoch.
void require_place_for(const fs::path& file) {
  if (fs::is_directory(file)) {
    throw Error(ErrorCode::invalid_argument, file.string() + ": expected a file to write, got a folder");
  }
  const fs::path folder = file.parent_path();
  if (!folder.empty() && !fs::is_directory(folder)) {
    throw Error(ErrorCode::not_found,
                file.string() + ": expected the folder " + folder.string() + " to exist");
  }
}

/// So that no file is written over another.
void require_apart(const Options& options) {
  const std::vector<std::pair<const char*, fs::path>> files = {{"--input", options.data.manifest},
                                                               {"--out", options.out},
                                                               {"--log", options.log},
                                                               {"--checkpoint", options.training.checkpoint}};
  for (std::size_t i = 0; i < files.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (fs::weakly_canonical(files[i].second) != fs::weakly_canonical(files[j].second)) continue;
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("{}: expected another file than {}, got {} for both", files[i].first,
                              files[j].first, files[i].second.string()));
    }
  }
}

/// What the command line asks for, checked before the long work.
void complete(Options& options, const Dataset& dataset) {
  auto& training = options.training;
  const auto& type = deep::network_type(training.network);
  for (const auto& text : options.network_options) {
    const auto [name, value] = parse_parameter(text, type.options, "network '" + type.name + "'");
    training.network_options[name] = value;
  }
  training.plan = options.plan.applied_to(type.plan);
  training.labels = dataset.vocabulary();
  if (options.augment) {
    training.augmentation = options.augmentation;
    training.augmentation->seed = training.seed;
  }
  if (training.checkpoint.empty()) training.checkpoint = options.out + ".checkpoint";
  training.validate();
  if (options.log.empty()) options.log = options.out + ".jsonl";
  require_apart(options);
  for (const fs::path& file : {fs::path(options.out), fs::path(options.log), training.checkpoint}) {
    require_place_for(file);
  }
  training.progress = progress_line();
}

Json to_json(const deep::TrainedNetwork& trained, const Options& options) {
  const auto& report = trained.report;
  return {{"model", options.out},
          {"fingerprint", trained.model.fingerprint().to_string()},
          {"network", options.training.network},
          {"bits", options.training.bits},
          {"dimension", trained.model.dimension()},
          {"labels", trained.model.description().labels},
          {"training_images", report.training_rows},
          {"validation_images", report.validation_rows},
          {"best", report.best_epoch == 0 ? Json(nullptr)
                                          : Json::parse(deep::to_json(report.epochs[report.best_epoch - 1]))},
          {"stopped_early", report.stopped_early},
          {"hash_learned", trained.model.description().hash_learned},
          {"unused_weights", report.unused_weights}};
}

std::string folder_of(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path().string() : ".";
}

void run(Options& options) {
  if (options.data.folder.empty()) options.data.folder = folder_of(options.data.manifest);
  const Dataset dataset(options.data);
  dataset.check_splits();
  complete(options, dataset);
  const auto rows = training_rows(dataset.manifest(), options.split);
  deep::TrainingImages images = training_images(dataset.manifest(), rows);
  if (!options.target_column.empty()) add_targets(options, dataset, rows, images);
  const auto unknown = std::count(images.patients.begin(), images.patients.end(), "");
  if (unknown > 0) {
    spdlog::warn("{} rows name no patient: held-out rows may show the same patient as those learned from",
                 unknown);
  }
  EpochLog log(options.log);
  options.training.on_epoch = [&](const deep::EpochFigures& epoch) {
    log.add(epoch);
    log_epoch(epoch);
  };
  const auto trained = deep::train_network(options.training, images);
  trained.model.save(options.out);
  fs::remove(options.training.checkpoint);
  const auto& unused = trained.report.unused_weights;
  if (!unused.empty()) {
    spdlog::info("{}: {} names that the backbone does not have: {}",
                 options.training.backbone_weights.string(), unused.size(), CLI::detail::join(unused, ", "));
  }
  if (!trained.model.description().hash_learned) {
    spdlog::warn("nothing taught the hash layer, its codes are random: index with an --encoder");
  }
  Json answer = to_json(trained, options);
  answer["rows_without_patient"] = unknown;
  if (options.json) {
    std::cout << answer.dump(2) << '\n';
  } else {
    for (const auto& [key, value] : answer.items()) std::cout << key << ": " << value.dump() << '\n';
  }
}

void add_data_options(CLI::App& command, Options& options) {
  command.add_option("--input", options.data.manifest, "CSV file with a row for every image")
      ->required()
      ->type_name("MANIFEST");
  command.add_option("--data", options.data.folder, "Folder of the images (default: the manifest's)")
      ->type_name("FOLDER");
  options.data.add_columns_to(command);
  command
      .add_option("--split", options.split,
                  "Rows to learn from (default: train; all where the manifest has no splits)")
      ->type_name("NAME");
  command
      .add_option(
          "--target-column", options.target_column,
          "Manifest column of what a decoder learns to draw: files as large as their images, masks say, "
          "or none for black (default: the images themselves)")
      ->type_name("COLUMN");
  options.data.add_leak_flag(command);
}

void add_output_options(CLI::App& command, Options& options) {
  command.add_option("--out", options.out, "File to write")->required()->type_name("MODEL");
  command.add_option("--log", options.log, "JSON lines, one an epoch (default: MODEL.jsonl)")
      ->type_name("FILE");
  command
      .add_option(
          "--checkpoint", options.training.checkpoint,
          "Written after every epoch, removed at the end; a training that was interrupted goes on from it "
          "(default: MODEL.checkpoint)")
      ->type_name("FILE");
  command.add_flag("--json", options.json, "Print JSON");
}

void add_network_options(CLI::App& command, Options& options) {
  auto& training = options.training;
  std::string names;
  for (const auto& name : deep::network_type_names()) names += (names.empty() ? "" : ", ") + name;
  command.add_option("--model", training.network, "One of " + names)
      ->capture_default_str()
      ->type_name("PRESET");
  command.add_option("--bits", training.bits, "Of the code")->capture_default_str();
  command.add_option("--side", training.side, "Of the input in pixels; 0: as the network suits");
  command
      .add_option("--option", options.network_options,
                  "An option of the network, name=value; may be given several times")
      ->type_name("NAME=VALUE");
  command
      .add_option(
          "--backbone-weights", training.backbone_weights,
          "Weights that a ResNet or VGG-16 begins with, as torch.save(dict(model.state_dict()), FILE) "
          "writes them")
      ->type_name("FILE");
}

void add_course_options(CLI::App& command, Options& options) {
  auto& training = options.training;
  options.plan.add_to(command);
  command.add_option("--validation-share", training.validation_share, "Of the patients, held out")
      ->capture_default_str();
  command.add_option("--patience", training.patience,
                     "Epochs without a better validation before it stops; 0: never");
  command.add_flag("--balance-classes", training.balance_classes, "Rare classes weigh more");
  auto* augment =
      command.add_flag("--augment", options.augment, "Alter the images anew in every epoch; within:");
  for (auto* option : add_augmentation_options(command, options.augmentation)) option->needs(augment);
  command.add_option("--seed", training.seed, "Of everything drawn")->capture_default_str();
  command.add_option("--device", training.device, "cpu, or cuda where libtorch has it")
      ->capture_default_str();
  add_threads_option(command, training.threads);
}

}  // namespace

void add_train_command(CLI::App& app) {
  auto* command = app.add_subcommand("train", "Train a network of deep hashing");
  command->footer(presets_help());
  auto options = std::make_shared<Options>();
  add_network_options(*command, *options);
  add_data_options(*command, *options);
  add_output_options(*command, *options);
  add_course_options(*command, *options);
  command->callback([options] { run(*options); });
}

}  // namespace medretrieval::cli
