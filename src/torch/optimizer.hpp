// Optimizers from a TrainingPlan.
#pragma once

#include <torch/optim/optimizer.h>

#include <cstddef>
#include <medretrieval/torch/network_type.hpp>
#include <memory>

#include "torch/network.hpp"

namespace medretrieval::deep {

/// Over the parameters that require a gradient.
std::unique_ptr<::torch::optim::Optimizer> make_optimizer(const TrainingPlan& plan, Network& network);

/// Forgets the gradients of the step before. Weights that a step does not reach have none then, so that they stay as
/// they are, in the first step after a checkpoint and in every other.
void zero_gradients(::torch::optim::Optimizer& optimizer);

/// The learning rate of an epoch, from 1.
double learning_rate_of(const TrainingPlan& plan, std::size_t epoch);

void set_learning_rate(::torch::optim::Optimizer& optimizer, double rate);

}  // namespace medretrieval::deep
