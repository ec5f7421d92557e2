// How far altered copies may differ from their image.
#pragma once

#include <CLI/CLI.hpp>
#include <medretrieval/imaging/augment.hpp>
#include <vector>

namespace medretrieval::cli {

/// Adds --rotation, --shift, --flip-horizontal and --flip-vertical. Returns them.
std::vector<CLI::Option*> add_augmentation_options(CLI::App& command,
                                                   imaging::AugmentationOptions& augmentation);

}  // namespace medretrieval::cli
