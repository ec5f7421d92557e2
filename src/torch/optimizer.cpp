#include "torch/optimizer.hpp"

#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>

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

void zero_gradients(optim::Optimizer& optimizer) {
  for (auto& group : optimizer.param_groups()) {
    for (auto& parameter : group.params()) parameter.mutable_grad() = Tensor();
  }
}

double learning_rate_of(const TrainingPlan& plan, std::size_t epoch) {
  const bool decayed = plan.decay_epochs != 0 && epoch > plan.decay_epochs;
  return decayed ? plan.learning_rate * plan.decay_factor : plan.learning_rate;
}

void set_learning_rate(optim::Optimizer& optimizer, double rate) {
  for (auto& group : optimizer.param_groups()) group.options().set_lr(rate);
}

}  // namespace medretrieval::deep
