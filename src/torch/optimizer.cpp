#include "torch/optimizer.hpp"

#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>

#include <cmath>

namespace medretrieval::deep {

namespace optim = ::torch::optim;

std::unique_ptr<optim::Optimizer> make_optimizer(const TrainingPlan& plan, Network& network) {
  std::vector<Tensor> parameters;
  for (const auto& parameter : network.parameters()) {
    if (parameter.requires_grad()) parameters.push_back(parameter);
  }
  switch (plan.optimizer) {
    case Optimizer::sgd:
      return std::make_unique<optim::SGD>(
          parameters,
          optim::SGDOptions(plan.learning_rate).momentum(plan.momentum).weight_decay(plan.weight_decay));
    case Optimizer::adam:
      return std::make_unique<optim::Adam>(
          parameters, optim::AdamOptions(plan.learning_rate).weight_decay(plan.weight_decay));
    case Optimizer::adamw:
      return std::make_unique<optim::AdamW>(
          parameters, optim::AdamWOptions(plan.learning_rate).weight_decay(plan.weight_decay));
  }
  return nullptr;
}

double learning_rate_of(const TrainingPlan& plan, std::size_t epoch) {
  if (plan.decay_epochs == 0) return plan.learning_rate;
  return plan.learning_rate *
         std::pow(plan.decay_factor, static_cast<double>((epoch - 1) / plan.decay_epochs));
}

void set_learning_rate(optim::Optimizer& optimizer, double rate) {
  for (auto& group : optimizer.param_groups()) group.options().set_lr(rate);
}

}  // namespace medretrieval::deep
