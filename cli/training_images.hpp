// What a network learns from, out of a manifest.
#pragma once

#include <filesystem>
#include <medretrieval/imaging/manifest.hpp>
#include <medretrieval/torch/training.hpp>
#include <optional>
#include <string>
#include <vector>

namespace medretrieval::cli {

/// The rows of a split, `train` when none is named; without splits all.
/// \throws Error (invalid_argument) for a split without rows.
std::vector<std::size_t> training_rows(const imaging::Manifest& manifest,
                                       const std::optional<std::string>& split = {});

/// What tells one file from another: path, size and time.
std::string source_of(const std::filesystem::path& file);

/// Images, labels, patients and sources of rows of a manifest. Images are read when they are asked for.
deep::TrainingImages training_images(const imaging::Manifest& manifest, const std::vector<std::size_t>& rows);

}  // namespace medretrieval::cli
