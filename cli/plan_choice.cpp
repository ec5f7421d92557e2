#include "plan_choice.hpp"

#include <map>
#include <medretrieval/error.hpp>

#include "search_options.hpp"

namespace medretrieval::cli {

namespace {

template <class Value>
void apply(const std::optional<Value>& given, Value& value) {
  if (given) value = *given;
}

void refuse(bool unused, const std::string& option, const std::string& needed) {
  if (unused) throw Error(ErrorCode::invalid_argument, option + ": expected " + needed);
}

}  // namespace

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
  command.add_option("--quantization", quantization,
                     "Weight of the codes' distance to their threshold's, beside what the loss has");
  command.add_option("--bit-balance", bit_balance, "Weight against bits that are mostly 1 or mostly 0");
  command.add_option("--reconstruction", reconstruction, "Weight of a decoder's loss");
  command.add_option("--pixel-weight", pixel_weight,
                     "In that loss, cross-entropy plus this times the squared error of pixels");
}

void PlanChoice::refuse_unused(const deep::TrainingPlan& plan) const {
  const auto& objective = plan.objective;
  refuse(momentum && plan.optimizer != deep::Optimizer::sgd, "--momentum", "--optimizer sgd");
  const bool decays = plan.decay_epochs > 0 && plan.decay_epochs < plan.epochs;
  const std::string fewer = "--decay-epochs above 0 and below --epochs, " + std::to_string(plan.epochs);
  refuse(decay_factor && !decays, "--decay-factor", fewer);
  refuse(decay_epochs.value_or(0) > 0 && !decays, "--decay-epochs", fewer);
  refuse(loss_weight && objective.hashing.empty(), "--loss-weight", "a --loss that it weighs");
  refuse(!loss_options.empty() && objective.hashing.empty(), "--loss-option", "a --loss that it belongs to");
  const bool weightless = objective.hashing_weight == 0;
  refuse(loss.value_or("none") != "none" && weightless, "--loss", "--loss-weight above 0");
  refuse(!loss_options.empty() && weightless, "--loss-option", "--loss-weight above 0");
  refuse(pixel_weight && objective.reconstruction == 0, "--pixel-weight", "--reconstruction above 0");
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
  apply(quantization, plan.objective.quantization);
  apply(bit_balance, plan.objective.bit_balance);
  apply(reconstruction, plan.objective.reconstruction);
  apply(pixel_weight, plan.objective.pixel_weight);
  if (loss) {
    plan.objective.hashing = *loss == "none" ? "" : *loss;
    plan.objective.hashing_parameters.clear();
  }
  refuse_unused(plan);
  for (const auto& text : loss_options) {
    const auto& schema = deep::hashing_loss_info(plan.objective.hashing).options;
    const auto [name, value] = parse_parameter(text, schema, "hashing loss '" + plan.objective.hashing + "'");
    plan.objective.hashing_parameters[name] = value;
  }
  return plan;
}

}  // namespace medretrieval::cli
