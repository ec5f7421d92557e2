#include "torch/checkpoint.hpp"

#include <nlohmann/json.hpp>

#include "base/concat.hpp"
#include "base/reading.hpp"
#include "io/files.hpp"
#include "io/sinks.hpp"
#include "torch/deep_model_state.hpp"
#include "torch/network_file.hpp"
#include "torch/optimizer_state.hpp"

namespace medretrieval::deep {

namespace {

using Json = nlohmann::ordered_json;
using detail::fail;

/// Of what a training does with its options and of what its record holds: one that goes on from another's is another training.
constexpr int kCheckpointVersion = 2;

Json to_json(const std::optional<double>& value) {
  return value ? Json(*value) : Json(nullptr);
}

std::optional<double> optional_number(const Json& json) {
  return json.is_null() ? std::nullopt : std::optional(json.get<double>());
}

EpochFigures figures_from(const Json& json) {
  EpochFigures figures;
  figures.epoch = json.at("epoch").get<std::size_t>();
  figures.loss = json.at("loss").get<double>();
  figures.map = optional_number(json.at("map"));
  figures.accuracy = optional_number(json.at("accuracy"));
  figures.area_under_curve = optional_number(json.at("area_under_curve"));
  figures.learning_rate = json.at("learning_rate").get<double>();
  figures.seconds = json.at("seconds").get<double>();
  return figures;
}

Json to_json(const Parameters& parameters) {
  Json json = Json::object();
  for (const auto& [name, value] : parameters) json[name] = to_string(value);
  return json;
}

const char* name_of(Optimizer optimizer) {
  switch (optimizer) {
    case Optimizer::sgd:
      return "sgd";
    case Optimizer::adam:
      return "adam";
    case Optimizer::adamw:
      return "adamw";
  }
  return "";
}

Json to_json(const TrainingPlan& plan) {
  const auto& objective = plan.objective;
  return {{"batch", plan.batch},
          {"optimizer", name_of(plan.optimizer)},
          {"learning_rate", plan.learning_rate},
          {"momentum", plan.momentum},
          {"weight_decay", plan.weight_decay},
          {"decay_epochs", plan.decay_epochs},
          {"decay_factor", plan.decay_factor},
          {"epochs", plan.epochs},
          {"classification", objective.classification},
          {"hashing", objective.hashing},
          {"hashing_parameters", to_json(objective.hashing_parameters)},
          {"hashing_weight", objective.hashing_weight},
          {"reconstruction", objective.reconstruction},
          {"pixel_weight", objective.pixel_weight},
          {"quantization", objective.quantization},
          {"bit_balance", objective.bit_balance}};
}

/// The first field in which two identities differ, for messages.
std::string difference(const std::string& expected, const Json& found) {
  const Json wanted = Json::parse(expected).flatten();
  const Json got = found.is_string() ? Json::parse(found.get<std::string>(), nullptr, false) : Json();
  if (!got.is_object()) return "";
  const Json flat = got.flatten();
  const auto text = [](const Json& json, const std::string& name) {
    return json.contains(name) ? json[name].dump() : "nothing";
  };
  for (const Json* side : {&wanted, &flat}) {
    for (const auto& [name, value] : side->items()) {
      if (value.is_null() || text(wanted, name) == text(flat, name))
        continue;  // null: an empty list or object
      return detail::concat(" (", name.substr(1), ": expected ", text(wanted, name), ", got ",
                            text(flat, name), ")");
    }
  }
  return "";
}

}  // namespace

std::string to_json(const EpochFigures& figures) {
  const Json json = {{"epoch", figures.epoch},
                     {"loss", figures.loss},
                     {"map", to_json(figures.map)},
                     {"accuracy", to_json(figures.accuracy)},
                     {"area_under_curve", to_json(figures.area_under_curve)},
                     {"learning_rate", figures.learning_rate},
                     {"seconds", figures.seconds}};
  return json.dump();
}

std::string training_identity(const TrainingOptions& options, const TrainingPlan& plan,
                              const TrainingImages& images, const Assets& assets) {
  Json rows = {images.patients, images.labels, static_cast<bool>(images.load_target), images.sources};
  for (const auto& [name, bytes] : assets) rows.push_back({name, Fingerprint::of(bytes).to_string()});
  const std::string text = rows.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  const auto& changes = options.augmentation;
  const Json altered = changes ? Json{changes->flip_horizontal, changes->flip_vertical,
                                      changes->rotation_degrees, changes->shift_pixels, changes->seed}
                               : Json(nullptr);
  Json json = {{"version", kCheckpointVersion},
               {"network", options.network},
               {"options", to_json(options.network_options)},
               {"side", options.side},
               {"bits", options.bits},
               {"labels", options.labels},
               {"plan", to_json(plan)},
               {"validation_share", options.validation_share},
               {"patience", options.patience},
               {"balance_classes", options.balance_classes},
               {"augmentation", altered},
               {"seed", options.seed},
               {"rows", Fingerprint::of(std::as_bytes(std::span(text.data(), text.size()))).to_string()}};
  if (!options.backbone_weights.empty()) {
    json["backbone_weights"] = Fingerprint::of(io::MappedFile(options.backbone_weights).bytes()).to_string();
  }
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void write_checkpoint(const std::filesystem::path& file, const NetworkDescription& description,
                      const Network& network, const ::torch::optim::Optimizer& optimizer,
                      const TrainingProgress& progress, const std::string& identity) {
  Json epochs = Json::array();
  for (const auto& figures : progress.epochs) epochs.push_back(Json::parse(to_json(figures)));
  const Json record = {{"identity", identity},
                       {"epochs", epochs},
                       {"best_epoch", progress.best_epoch},
                       {"best_value", progress.best_value}};
  const TrainingState training = {record.dump(), state_of(optimizer), progress.best};
  io::FileSink sink(file);
  write_network_file(
      sink, {description, encoder_of(network), nullptr, tensors_of(network), network.assets(), &training});
  sink.publish();
}

void read_checkpoint(const std::filesystem::path& file, Network& network,
                     ::torch::optim::Optimizer& optimizer, TrainingProgress& progress,
                     const std::string& identity) {
  const auto sections = io::SectionFile::map(file);
  const TrainingState training =
      detail::reading(file.string(), [&] { return read_training_state(*sections); });
  const Json record = Json::parse(training.record, nullptr, false);
  if (!record.is_object() || !record.contains("identity"))
    sections->corrupt("expected the record of a training");
  if (record["identity"] != identity) {
    fail(ErrorCode::incompatible, file.string(), ": a checkpoint of a training with other options or images",
         difference(identity, record["identity"]), "; remove it to begin anew");
  }
  try {
    for (const auto& each : record.at("epochs")) progress.epochs.push_back(figures_from(each));
    progress.best_epoch = record.at("best_epoch").get<std::size_t>();
    progress.best_value = record.at("best_value").get<double>();
    if (progress.best_epoch == 0 || progress.best_epoch > progress.epochs.size()) {
      sections->corrupt(detail::concat("expected a best epoch of 1 to ", progress.epochs.size(), ", got ",
                                       progress.best_epoch));
    }
  } catch (const nlohmann::json::exception& error) {
    sections->corrupt(error.what());
  }
  if (training.optimizer.empty()) sections->corrupt("state of the optimizer: expected tensors, got none");
  detail::reading(file.string(), [&] { set_state(optimizer, training.optimizer); });
  progress.best = training.best;
  set_tensors(network, read_tensors(*sections, detail::NetworkSection::tensor_index,
                                    detail::NetworkSection::tensor_data));
}

}  // namespace medretrieval::deep
