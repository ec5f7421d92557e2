// Weights trained elsewhere, found by their names.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "torch/network.hpp"

namespace medretrieval::deep {

/// Fills the backbone of a network (its child `backbone`: the residual networks and VGG-16, whose names are those of
/// torchvision) from a file that Python wrote with torch.save(dict(model.state_dict()), file). Only numbers are read from
/// the file; nothing in it is run.
/// \return names of the file that the backbone does not have, such as those of its old classifier
/// \throws Error unsupported (a network without such a backbone), not_found, io, limit_exceeded (more than 4 GiB),
///         corrupt (not such a file), incompatible (a name that is missing or has another shape). The network is
///         then as it was.
std::vector<std::string> load_backbone_weights(Network& network, const std::filesystem::path& file);

}  // namespace medretrieval::deep
