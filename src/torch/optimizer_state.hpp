// What an optimizer remembers of its steps, as tensors: libtorch's own archive of it is a program that loading would
// run.
#pragma once

#include <torch/optim/optimizer.h>

#include "torch/tensor_file.hpp"

namespace medretrieval::deep {

/// Moments and steps, named by the place of their parameter: "3.exp_avg". Parameters without steps have none.
NamedTensors state_of(const ::torch::optim::Optimizer& optimizer);

/// Puts them into an optimizer of the same kind over the same parameters.
/// \throws Error (incompatible) naming a tensor that is missing, left over, or of another shape or type.
void set_state(::torch::optim::Optimizer& optimizer, const NamedTensors& state);

}  // namespace medretrieval::deep
