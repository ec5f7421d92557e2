// The network of a demo. Without libtorch the program hands over instead (handed_over.hpp).
#pragma once

#include <filesystem>
#include <medretrieval/eval/report.hpp>
#include <memory>
#include <string>
#include <vector>

#include "dataset.hpp"
#include "feature_maker.hpp"

namespace medretrieval::cli {

struct DemoNetworkOptions {
  std::string network = "spatial-attention-resnet18";
  std::size_t epochs = 25;  ///< 20 of them at the first learning rate of the default network
  int threads = 0;
};

struct DemoNetwork {
  std::unique_ptr<FeatureMaker> maker;
  std::vector<eval::LineChart> curves;  ///< of the training
};

/// To be called before anything is written.
/// \throws Error not_found (the preset), unsupported where no networks were built.
void check_demo_network(const DemoNetworkOptions& options);

/// Trains on the rows of split `train`, with the preset's plan but for the epochs, and writes the network file.
/// \throws Error as deep::train_network(); unsupported where no networks were built.
DemoNetwork train_for_demo(const Dataset& dataset, const DemoNetworkOptions& options,
                           const std::filesystem::path& file);

}  // namespace medretrieval::cli
