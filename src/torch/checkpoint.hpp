// The state of a training between two epochs, and its file.
#pragma once

#include <torch/optim/optimizer.h>

#include <filesystem>
#include <medretrieval/torch/training.hpp>
#include <string>
#include <vector>

#include "torch/network.hpp"
#include "torch/tensor_file.hpp"

namespace medretrieval::deep {

/// How far a training is.
struct TrainingProgress {
  std::vector<EpochFigures> epochs;  ///< done
  std::size_t best_epoch = 0;        ///< 0: none yet
  double best_value = 0;             ///< the validation of that epoch
  NamedTensors best;                 ///< its weights
};

/// What must be equal for a training to go on from a checkpoint: options, the weights that the backbone began with,
/// labels and rows, as text.
/// \throws Error not_found, io (the file of those weights).
std::string training_identity(const TrainingOptions& options, const TrainingPlan& plan,
                              const TrainingImages& images, const Assets& assets);

/// Writes a checkpoint; the one before is replaced as a whole or stays.
/// \throws Error (io).
void write_checkpoint(const std::filesystem::path& file, const NetworkDescription& description,
                      const Network& network, const ::torch::optim::Optimizer& optimizer,
                      const TrainingProgress& progress, const std::string& identity);

/// Sets network, optimizer and progress to what a checkpoint holds.
/// \throws Error corrupt, unsupported, io, incompatible (of another training).
void read_checkpoint(const std::filesystem::path& file, Network& network,
                     ::torch::optim::Optimizer& optimizer, TrainingProgress& progress,
                     const std::string& identity);

}  // namespace medretrieval::deep
