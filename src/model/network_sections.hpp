// The sections of a network file. The core reads the first three; the others hold the weights and, in a
// checkpoint, the state of a training.
#pragma once

#include <cstdint>
#include <medretrieval/network_file.hpp>
#include <memory>
#include <string>

#include "io/section_file.hpp"

namespace medretrieval::detail {

inline constexpr std::uint32_t kNetworkFileVersion = 1;

/// Kinds of sections.
enum class NetworkSection : std::uint32_t {
  description = 1,   ///< JSON: version, network, options, side, bits, labels
  encoder = 2,       ///< Encoder::to_bytes()
  gate = 3,          ///< ClassGate::write(); may be absent
  tensor_index = 4,  ///< JSON: name, type, shape, offset of every tensor of the network
  tensor_data = 5,   ///< their values, contiguous
  asset =
      6,  ///< bytes that belong to the network, such as a TorchScript module; a column each, may be absent
  training = 7,           ///< JSON, of a checkpoint: options, epochs done and their figures
  optimizer_index = 8,    ///< of a checkpoint: what the optimizer remembers, as tensors
  best_tensor_index = 9,  ///< of a checkpoint: the weights with the best validation
  best_tensor_data = 10,
  asset_names = 11,  ///< JSON: a list, in the order of the columns
  optimizer_data = 12,
};

inline io::SectionKey section_key(NetworkSection section) {
  return {static_cast<std::uint32_t>(section), 0};
}

/// The description as JSON text, and back.
std::string description_to_json(const NetworkDescription& description);
/// \throws Error corrupt, unsupported; `name` stands in front of messages.
NetworkDescription description_from_json(const std::string& text, const std::string& name);

/// The head of an opened file, its sections checked.
/// \throws Error as read_network_head().
NetworkHead read_network_head(const std::shared_ptr<const io::SectionFile>& file);

/// The checked bytes of a section.
/// \throws Error (corrupt) when it is absent.
std::span<const std::byte> network_section(const io::SectionFile& file, NetworkSection section);

}  // namespace medretrieval::detail
