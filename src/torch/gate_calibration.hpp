// The class gate of a trained network.
#pragma once

#include <medretrieval/class_gate.hpp>
#include <memory>

#include "torch/validation.hpp"

namespace medretrieval::deep {

/// Calibrates the network's posteriors on the validation rows that have labels. Null where they are too few.
std::shared_ptr<const ClassGate> calibrated_gate(const RowRunner& runner);

}  // namespace medretrieval::deep
