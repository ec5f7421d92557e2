// Hand-made features: edges, texture and brightness. No training, no model file.
#pragma once

#include <medretrieval/imaging/features.hpp>
#include <memory>
#include <nlohmann/json_fwd.hpp>

namespace medretrieval::imaging {

inline constexpr std::string_view kClassicalName = "classical";

/// Parameters: "side" (64 to 256 in steps of 16; the image is resized to side x side) and "cells" (2 to 4 a
/// side of the gradient histogram). The dimension is 128 + 32 (cells - 1)^2, always a multiple of 16. \throws
/// Error (invalid_argument) for another key, type or value.
std::unique_ptr<FeatureExtractor> make_classical_features(const nlohmann::json& parameters);

}  // namespace medretrieval::imaging
