/// \file
/// What of a network file needs no libtorch: enough to serve codes of features that were computed elsewhere.
///
/// A network file is written by medretrieval::deep (include/medretrieval/torch/deep_model.hpp). Its form is described
/// in docs/file_format.md.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <medretrieval/class_gate.hpp>
#include <medretrieval/encoder.hpp>
#include <medretrieval/fingerprint.hpp>
#include <medretrieval/parameters.hpp>

namespace medretrieval {

/// A trained network in words.
struct NetworkDescription {
  std::string network;   ///< registered name, for example "attention-cnn-bilstm"
  Parameters options;    ///< of its architecture, all of them
  std::size_t side = 0;  ///< of the square input, in pixels
  std::size_t bits = 0;  ///< of the code as asked for; a joint code has this many for each slice
  std::vector<std::string> labels = {};  ///< its classes, in the order of its posteriors
  bool several_labels = false;           ///< a row may have several: posteriors are independent of each other
  /// Whether a hashing loss, or a classifier that stands on the hash layer, shaped the codes. Otherwise they are those of
  /// random projections, at most regularised.
  bool hash_learned = true;
};

/// The head of a network file.
struct NetworkHead {
  NetworkDescription description;
  std::shared_ptr<const Encoder> encoder;  ///< hash layer over the network's features: sigmoid(W f + b) > 0.5
  std::shared_ptr<const ClassGate> gate;   ///< calibration of the network's posteriors; null: not calibrated
  Fingerprint fingerprint;                 ///< of the whole file, weights included
};

/// Reads the head of a network file.
/// \throws Error not_found, io, corrupt (cut, changed, or no network file), unsupported (a newer format).
NetworkHead read_network_head(const std::filesystem::path& file);

}  // namespace medretrieval
