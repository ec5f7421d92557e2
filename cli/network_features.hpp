// Features of trained networks. Without libtorch the program hands over instead (handed_over.hpp).
#pragma once

#include <filesystem>
#include <memory>

#include "feature_maker.hpp"

namespace medretrieval::cli {

/// The file of a network in the folder of a gallery whose features it made.
inline constexpr const char* kNetworkFile = "network";

/// \throws Error as deep::DeepModel::load(); unsupported where no networks were built.
std::unique_ptr<FeatureMaker> network_features(const std::filesystem::path& file, const std::string& device);

}  // namespace medretrieval::cli
