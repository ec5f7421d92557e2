// What a network learns from, out of a manifest.
#pragma once

#include <medretrieval/imaging/manifest.hpp>
#include <medretrieval/torch/training.hpp>
#include <string>
#include <vector>

namespace medretrieval::cli {

/// The rows of one split, or all where the manifest has no splits.
std::vector<std::size_t> training_rows(const imaging::Manifest& manifest, const std::string& split);

/// Images, labels and patients of rows of a manifest. Images are read when they are asked for.
deep::TrainingImages training_images(const imaging::Manifest& manifest, const std::vector<std::size_t>& rows);

}  // namespace medretrieval::cli
