#include <spdlog/spdlog.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <medretrieval/torch/training.hpp>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "dataset.hpp"
#include "progress_line.hpp"
#include "search_options.hpp"
#include "training_images.hpp"

namespace medretrieval::cli {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// What the command line may change of a preset's plan.
struct PlanChoice {
  std::optional<std::size_t> epochs;
  std::optional<std::size_t> batch;
  std::optional<deep::Optimizer> optimizer;
  std::optional<double> learning_rate;
  std::optional<double> momentum;
  std::optional<double> weight_decay;
  std::optional<std::size_t> decay_epochs;
  std::optional<double> decay_factor;
  std::optional<double> classification;
  std::optional<std::string> loss;
  std::optional<double> loss_weight;
  std::optional<double> reconstruction;
  std::optional<double> pixel_weight;
  std::vector<std::string> loss_options;

  void add_to(CLI::App& command);
  deep::TrainingPlan applied_to(deep::TrainingPlan plan) const;
};

struct Options {
  std::string manifest;
  std::string folder;
  imaging::ManifestOptions columns;
  std::string out;
  std::string log;
  std::string split = "train";
  std::string target_column;
  std::vector<std::string> network_options;
  PlanChoice plan;
  deep::TrainingOptions training;
  bool augment = false;
  bool allow_leak = false;
  bool json = false;
};

void PlanChoice::add_to(CLI::App& command) {
  const std::map<std::string, deep::Optimizer> optimizers = {
      {"sgd", deep::Optimizer::sgd}, {"adam", deep::Optimizer::adam}, {"adamw", deep::Optimizer::adamw}};
  command.add_option("--epochs", epochs, "Times that every image is seen; 0: the network stays as it begins");
  command.add_option("--batch", batch, "Images of a step");
  command.add_option("--optimizer", optimizer, "sgd, adam or adamw")
      ->transform(one_of(optimizers))
      ->type_name("NAME");
  command.add_option("--learning-rate", learning_rate, "Of the first epochs");
  command.add_option("--momentum", momentum, "Of sgd");
  command.add_option("--weight-decay", weight_decay, "L2");
  command.add_option(
      "--decay-epochs", decay_epochs,
      "After so many epochs the learning rate is multiplied by --decay-factor, once; 0: never");
  command.add_option("--decay-factor", decay_factor, "Above 0, at most 1");
  command.add_option("--classification", classification, "Weight of the classification loss");
  command.add_option("--loss", loss, "Hashing loss, or none");
  command.add_option("--loss-weight", loss_weight, "Its weight");
  command
      .add_option("--loss-option", loss_options,
                  "An option of the loss, name=value; may be given several times")
      ->type_name("NAME=VALUE");
  command.add_option("--reconstruction", reconstruction, "Weight of a decoder's loss");
  command.add_option("--pixel-weight", pixel_weight,
                     "In that loss, cross-entropy plus this times the squared error of pixels");
}

template <class Value>
void apply(const std::optional<Value>& given, Value& value) {
  if (given) value = *given;
}

deep::TrainingPlan PlanChoice::applied_to(deep::TrainingPlan plan) const {
  apply(epochs, plan.epochs);
  apply(batch, plan.batch);
  apply(optimizer, plan.optimizer);
  apply(learning_rate, plan.learning_rate);
  apply(momentum, plan.momentum);
  apply(weight_decay, plan.weight_decay);
  apply(decay_epochs, plan.decay_epochs);
  apply(decay_factor, plan.decay_factor);
  apply(classification, plan.objective.classification);
  apply(loss_weight, plan.objective.hashing_weight);
  apply(reconstruction, plan.objective.reconstruction);
  apply(pixel_weight, plan.objective.pixel_weight);
  if (loss) {
    plan.objective.hashing = *loss == "none" ? "" : *loss;
    plan.objective.hashing_parameters.clear();
  }
  if (!loss_options.empty() && plan.objective.hashing.empty()) {
    throw Error(ErrorCode::invalid_argument, "--loss-option: expected a --loss that it belongs to");
  }
  for (const auto& text : loss_options) {
    const auto& schema = deep::hashing_loss_info(plan.objective.hashing).options;
    const auto [name, value] = parse_parameter(text, schema, "hashing loss '" + plan.objective.hashing + "'");
    plan.objective.hashing_parameters[name] = value;
  }
  return plan;
}

std::string options_help(const std::vector<OptionSpec>& options) {
  std::string help;
  for (const auto& option : options) {
    help +=
        "      " + option.name + " (" + to_string(option.default_value) + "): " + option.description + '\n';
  }
  return help;
}

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

Json number(const std::optional<double>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json to_json(const deep::EpochFigures& figures) {
  return {{"epoch", figures.epoch},
          {"loss", figures.loss},
          {"map", number(figures.map)},
          {"accuracy", number(figures.accuracy)},
          {"learning_rate", figures.learning_rate},
          {"seconds", figures.seconds}};
}

/// What a decoder learns to draw instead of the images themselves.
void add_targets(const Options& options, const fs::path& folder, const imaging::Manifest& manifest,
                 const std::vector<std::size_t>& rows, deep::TrainingImages& images) {
  auto targets = masks_in(options.manifest, folder, manifest, options.target_column, rows);
  for (const auto& target : targets) {
    if (target.is_known) continue;
    throw Error(ErrorCode::invalid_argument, options.manifest + ": line " + std::to_string(target.line) +
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

/// Writes a line for each epoch; an earlier log stays until the first one ends. A training that goes on from a
/// checkpoint writes the earlier lines again.
class EpochLog {
 public:
  explicit EpochLog(std::string file) : name_(std::move(file)) {}

  void add(const deep::EpochFigures& figures) {
    if (!stream_.is_open()) stream_.open(name_, std::ios::trunc);
    if (!(stream_ << to_json(figures).dump() << '\n').flush()) {
      throw Error(ErrorCode::io, name_ + ": cannot write");
    }
  }

 private:
  std::string name_;
  std::ofstream stream_;
};

/// So that a slip is told before the training and not after its first epoch.
void require_folder_of(const fs::path& file) {
  const fs::path folder = file.parent_path();
  if (!folder.empty() && !fs::is_directory(folder)) {
    throw Error(ErrorCode::not_found,
                file.string() + ": expected the folder " + folder.string() + " to exist");
  }
}

/// The manifest, with patients apart between its splits.
imaging::Manifest read_manifest(Options& options) {
  if (options.folder.empty()) options.folder = fs::path(options.manifest).parent_path().string();
  if (options.folder.empty()) options.folder = ".";
  auto manifest = imaging::read_manifest(options.folder, options.manifest, options.columns);
  if (!options.allow_leak) {
    try {
      imaging::refuse_leak(manifest);
    } catch (const Error& error) {
      throw Error(error.code(), options.manifest + ": " + error.what() + " (--allow-leak)");
    }
  }
  return manifest;
}

/// What the command line asks for, checked before the long work.
void complete(Options& options, const imaging::Manifest& manifest) {
  auto& training = options.training;
  const auto& type = deep::network_type(training.network);
  for (const auto& text : options.network_options) {
    const auto [name, value] = parse_parameter(text, type.options, "network '" + type.name + "'");
    training.network_options[name] = value;
  }
  training.plan = options.plan.applied_to(type.plan);
  training.labels = manifest_labels(manifest);
  if (options.augment) training.augmentation.emplace().seed = training.seed;
  if (training.checkpoint.empty()) training.checkpoint = options.out + ".checkpoint";
  training.validate();
  if (options.log.empty()) options.log = options.out + ".jsonl";
  for (const fs::path& file : {fs::path(options.out), fs::path(options.log), training.checkpoint}) {
    require_folder_of(file);
  }
  training.progress = progress_line();
}

std::string figure(const std::optional<double>& value) {
  return value ? fmt::format("{:.3f}", *value) : "-";
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
          {"best", report.best_epoch > 0 ? to_json(report.epochs[report.best_epoch - 1]) : Json(nullptr)},
          {"stopped_early", report.stopped_early},
          {"unused_weights", report.unused_weights}};
}

void run(Options& options) {
  const auto manifest = read_manifest(options);
  complete(options, manifest);
  const auto rows = training_rows(manifest, options.split);
  deep::TrainingImages images = training_images(manifest, rows);
  if (!options.target_column.empty()) add_targets(options, options.folder, manifest, rows, images);
  const auto unknown = std::count(images.patients.begin(), images.patients.end(), "");
  if (unknown > 0) {
    spdlog::warn("{} rows name no patient: held-out rows may show the same patient as those learned from",
                 unknown);
  }
  EpochLog log(options.log);
  options.training.on_epoch = [&](const deep::EpochFigures& epoch) {
    log.add(epoch);
    spdlog::info("epoch {}: loss {:.4f}, mAP {}, accuracy {}, {:.1f} s", epoch.epoch, epoch.loss,
                 figure(epoch.map), figure(epoch.accuracy), epoch.seconds);
  };
  const auto trained = deep::train_network(options.training, images);
  trained.model.save(options.out);
  fs::remove(options.training.checkpoint);
  const auto& unused = trained.report.unused_weights;
  if (!unused.empty()) {
    spdlog::info("{}: {} names that the backbone does not have: {}",
                 options.training.backbone_weights.string(), unused.size(), CLI::detail::join(unused, ", "));
  }
  Json answer = to_json(trained, options);
  answer["rows_without_patient"] = unknown;
  if (options.json) {
    std::cout << answer.dump(2) << '\n';
  } else {
    for (const auto& [key, value] : answer.items()) std::cout << key << ": " << value.dump() << '\n';
  }
}

}  // namespace

void add_train_command(CLI::App& app) {
  auto* command = app.add_subcommand("train", "Train a network of deep hashing");
  command->footer(presets_help());
  auto options = std::make_shared<Options>();
  auto& training = options->training;
  std::string names;
  for (const auto& name : deep::network_type_names()) names += (names.empty() ? "" : ", ") + name;
  command->add_option("--model", training.network, "One of " + names)
      ->capture_default_str()
      ->type_name("PRESET");
  command->add_option("--input", options->manifest, "CSV file with a row for every image")
      ->required()
      ->type_name("MANIFEST");
  command->add_option("--data", options->folder, "Folder of the images (default: the manifest's)")
      ->type_name("FOLDER");
  command->add_option("--patient-column", options->columns.patient_column, "Manifest column of the patient")
      ->capture_default_str();
  command->add_option("--label-column", options->columns.label_column,
                      "Manifest column of the labels (default: labels, else label)");
  command->add_option("--label-separator", options->columns.label_separator, "Between several labels")
      ->capture_default_str();
  command->add_option("--split", options->split, "Rows to learn from; all where the manifest has no splits")
      ->capture_default_str();
  command
      ->add_option(
          "--target-column", options->target_column,
          "Manifest column of what a decoder learns to draw: files as large as their images, masks say, "
          "or none for black (default: the images themselves)")
      ->type_name("COLUMN");
  command->add_option("--bits", training.bits, "Of the code")->capture_default_str();
  command->add_option("--side", training.side, "Of the input in pixels; 0: as the network suits");
  command->add_option("--out", options->out, "File to write")->required()->type_name("MODEL");
  command->add_option("--log", options->log, "JSON lines, one an epoch (default: MODEL.jsonl)")
      ->type_name("FILE");
  command
      ->add_option(
          "--checkpoint", training.checkpoint,
          "Written after every epoch, removed at the end; a training that was interrupted goes on from it "
          "(default: MODEL.checkpoint)")
      ->type_name("FILE");
  command
      ->add_option("--option", options->network_options,
                   "An option of the network, name=value; may be given several times")
      ->type_name("NAME=VALUE");
  command
      ->add_option(
          "--backbone-weights", training.backbone_weights,
          "Weights that a ResNet or VGG-16 begins with, as torch.save(dict(model.state_dict()), FILE) "
          "writes them")
      ->type_name("FILE");
  options->plan.add_to(*command);
  command->add_option("--validation-share", training.validation_share, "Of the patients, held out")
      ->capture_default_str();
  command->add_option("--patience", training.patience,
                      "Epochs without a better validation before it stops; 0: never");
  command->add_flag("--balance-classes", training.balance_classes, "Rare classes weigh more");
  command->add_flag("--augment", options->augment, "Alter the images anew in every epoch");
  command->add_option("--seed", training.seed, "Of everything drawn")->capture_default_str();
  command->add_option("--device", training.device, "cpu, or cuda where libtorch has it")
      ->capture_default_str();
  command->add_option("--threads", training.threads, "0: all")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command->add_flag("--allow-leak", options->allow_leak,
                    "Go on although the manifest has patients in two splits");
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options] { run(*options); });
}

}  // namespace medretrieval::cli
