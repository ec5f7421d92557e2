/// \file
/// The networks of deep hashing: a preset each, with every number of its paper and switches for its ablations.
///
/// The part is named after libtorch, which it needs; its namespace is medretrieval::deep, so that torch:: stays
/// libtorch's own. No header of this folder includes libtorch.
///
/// To add a network, see docs/deep_hashing.md: a source file in src/torch/networks, its test, and one line in
/// src/torch/network_registry.cpp.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <medretrieval/parameters.hpp>

namespace medretrieval::deep {

class Network;

/// The sizes at both ends of a network.
struct NetworkShape {
  std::size_t side = 64;    ///< of the square input, in pixels
  std::size_t bits = 64;    ///< of the code, 8 to 4,096
  std::size_t classes = 2;  ///< at least 1
};

/// Named bytes that belong to a network beside its weights, such as the TorchScript module of a backbone.
using Assets = std::map<std::string, std::vector<std::byte>>;

enum class Optimizer {
  sgd,    ///< with momentum; weight decay as an L2 term of the gradient
  adam,   ///< weight decay as an L2 term of the gradient
  adamw,  ///< decoupled weight decay (Loshchilov and Hutter 2019; paper 003, equation 16)
};

/// What is minimized: the mean over a batch of the sum of these terms.
struct Objective {
  double classification = 1;  ///< weight of the cross-entropy; binary cross-entropy with several labels a row
  std::string hashing;        ///< name of a hashing loss (see hashing_loss_type()); empty: none
  Parameters hashing_parameters;  ///< of that loss; those left out take their defaults
  double hashing_weight = 1;
  double reconstruction = 0;  ///< weight of the decoder's loss; 0 for networks without a decoder
  double pixel_weight = 1;    ///< in it: cross-entropy + this times the squared error of pixels
  /// Weight of mean (u - sign u)^2 over rows and bits, u = tanh(hash): codes that the threshold changes little.
  double quantization = 0;
  /// Weight of the squared mean of each bit over the rows, mean over bits: bits that are as often 1 as 0.
  double bit_balance = 0;
};

/// How a network learns. Where its paper states a number, the preset holds it.
struct TrainingPlan {
  std::size_t epochs =
      25;  ///< 0: the network stays as it begins, which is of use with weights from elsewhere
  std::size_t batch = 32;
  Optimizer optimizer = Optimizer::adam;
  double learning_rate = 1e-3;
  double momentum = 0.9;    ///< of sgd
  double weight_decay = 0;  ///< L2
  /// After this many epochs the learning rate is multiplied by decay_factor, once; 0: never.
  std::size_t decay_epochs = 0;
  double decay_factor = 0.1;  ///< above 0, at most 1
  Objective objective = {};

  /// \throws Error (invalid_argument) naming the field, its range and its value.
  void validate() const;
};

/// A registered network.
struct NetworkType {
  std::string name;                 ///< as on the command line, for example "attention-cnn-bilstm"
  std::string description;          ///< one line, with the paper
  std::vector<OptionSpec> options;  ///< the switches of its architecture
  std::size_t side = 64;            ///< of the input, unless asked otherwise
  std::size_t side_multiple = 1;    ///< input sides are multiples of this
  std::size_t minimum_side = 32;
  TrainingPlan plan;
  /// Makes an untrained network from complete, checked options. Its weights follow from libtorch's random
  /// generator, which the caller seeds.
  std::function<std::shared_ptr<Network>(const NetworkShape&, const Parameters&)> make;
  /// Makes the network from its stored assets in place of files that the options name. Null for networks
  /// without assets.
  std::function<std::shared_ptr<Network>(const NetworkShape&, const Parameters&, const Assets&)> restore;
};

/// The registered networks.
std::vector<std::string> network_type_names();
/// \throws Error (not_found) that lists the registered networks.
const NetworkType& network_type(std::string_view name);

/// A registered hashing loss: how codes learn to be near for similar images.
struct HashingLossInfo {
  std::string name;                 ///< for example "hashnet"
  std::string description;          ///< one line, with the paper
  std::vector<OptionSpec> options;  ///< their schema, with the defaults of its authors
};

/// The registered hashing losses.
std::vector<std::string> hashing_loss_names();
/// \throws Error (not_found) that lists the registered losses.
HashingLossInfo hashing_loss_info(std::string_view name);

}  // namespace medretrieval::deep
