// Options of `train` that change a preset's plan.
#pragma once

#include <CLI/CLI.hpp>
#include <medretrieval/torch/network_type.hpp>
#include <optional>
#include <string>
#include <vector>

namespace medretrieval::cli {

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
  std::optional<double> quantization;
  std::optional<double> bit_balance;
  std::optional<double> reconstruction;
  std::optional<double> pixel_weight;
  std::vector<std::string> loss_options;

  void add_to(CLI::App& command);
  /// \throws Error (invalid_argument) for options of the loss that it does not have, and for options without effect.
  deep::TrainingPlan applied_to(deep::TrainingPlan plan) const;

 private:
  void refuse_unused(const deep::TrainingPlan& plan) const;
};

}  // namespace medretrieval::cli
