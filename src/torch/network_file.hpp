// Writing and reading the sections of a network file.
#pragma once

#include <medretrieval/network_file.hpp>
#include <memory>
#include <string>
#include <vector>

#include "io/section_file.hpp"
#include "model/network_sections.hpp"
#include "torch/tensor_file.hpp"

namespace medretrieval::deep {

/// What a checkpoint has besides the network.
struct TrainingState {
  std::string record;  ///< JSON
  NamedTensors optimizer;
  NamedTensors best;
};

struct NetworkContent {
  const NetworkDescription& description;
  const std::shared_ptr<const Encoder>& encoder;
  std::shared_ptr<const ClassGate> gate;  ///< null: none
  NamedTensors tensors;
  const Assets& assets;
  const TrainingState* training = nullptr;  ///< of a checkpoint
};

/// Writes all sections; the same content gives the same bytes. Returns the checksum over the whole.
Fingerprint write_network_file(io::ByteSink& sink, const NetworkContent& content);

/// \throws Error (corrupt).
NamedTensors read_tensors(const io::SectionFile& file, detail::NetworkSection index,
                          detail::NetworkSection data);

/// \throws Error (corrupt).
Assets read_assets(const io::SectionFile& file);

/// \throws Error (corrupt) when the file is no checkpoint.
TrainingState read_training_state(const io::SectionFile& file);

}  // namespace medretrieval::deep
