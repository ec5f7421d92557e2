// Where a network computes.
#pragma once

#include <torch/types.h>

#include <string>

namespace medretrieval::deep {

/// The device of that name.
/// \throws Error unsupported (a device that this libtorch or machine does not have), invalid_argument (no name of a
///         device).
::torch::Device device_named(const std::string& name);

}  // namespace medretrieval::deep
