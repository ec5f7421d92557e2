// Named tensors as two sections of a network file: an index and the values.
#pragma once

#include <torch/types.h>

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "torch/network.hpp"

namespace medretrieval::deep {

using NamedTensors = std::map<std::string, Tensor>;

/// Parameters and buffers of a network, detached copies on the processor.
NamedTensors tensors_of(const Network& network);

/// A parameter or buffer of a network with a value that is not finite; nothing where there is none.
std::optional<std::string> name_of_tensor_not_finite(const Network& network);

/// Copies tensors into a network, which must have the same ones.
/// \throws Error (incompatible) naming the first tensor that is missing, left over, or of another shape.
void set_tensors(Network& network, const NamedTensors& tensors);

/// The index (JSON) and the values of tensors.
struct TensorBytes {
  std::string index;
  std::vector<std::byte> data;
};

/// \throws Error (unsupported) for a type other than float32, int64 and uint8.
TensorBytes to_bytes(const NamedTensors& tensors);

/// \param name in front of messages
/// \throws Error (corrupt) for an index that is none or reaches beyond the data.
NamedTensors from_bytes(std::span<const std::byte> index, std::span<const std::byte> data,
                        const std::string& name);

}  // namespace medretrieval::deep
