// What a DeepModel is made of, for those who load, train and save it.
#pragma once

#include <medretrieval/torch/deep_model.hpp>
#include <memory>
#include <string>

#include "torch/network.hpp"

namespace medretrieval::deep {

struct DeepModel::State {
  NetworkDescription description;
  std::shared_ptr<Network> network;  ///< in evaluation mode; its forward() changes nothing
  ::torch::Device device = ::torch::kCPU;
  std::shared_ptr<const Encoder> encoder;
  std::shared_ptr<const ClassGate> gate;
  Fingerprint fingerprint;
  bool has_attention = false;
};

/// Makes DeepModels.
class DeepModelBuilder {
 public:
  /// Takes a trained network over; it moves to the processor and to evaluation mode.
  static DeepModel from_network(NetworkDescription description, std::shared_ptr<Network> network,
                                std::shared_ptr<const ClassGate> gate);
};

/// An untrained network for a description.
/// \throws Error not_found (the network), invalid_argument (its options, side or bits).
std::shared_ptr<Network> make_network(const NetworkDescription& description, const Assets& assets = {});

/// The hash layers of a network as an encoder of its features.
std::shared_ptr<const Encoder> encoder_of(const Network& network);

/// Posteriors of logits.
Tensor posteriors_of(const Tensor& logits, bool several_labels);

}  // namespace medretrieval::deep
