// Hand-made features: edges, texture and brightness. No training, no model file.
#pragma once

#include <medretrieval/imaging/features.hpp>
#include <memory>
#include <nlohmann/json_fwd.hpp>

namespace medretrieval::imaging {

inline constexpr std::string_view kClassicalName = "classical";

/// The extractor that make_feature_extractor() describes under this name.
/// \throws Error (invalid_argument) for an unknown key, a wrong type or a value outside its range.
std::unique_ptr<FeatureExtractor> make_classical_features(const nlohmann::json& parameters);

}  // namespace medretrieval::imaging
