// Why a hit was found: where the network looked in query and hit, and which bits of their codes agree.
#pragma once

#include <filesystem>
#include <medretrieval/imaging/image.hpp>
#include <medretrieval/searcher.hpp>
#include <span>
#include <string>

#include "feature_maker.hpp"

namespace medretrieval::cli {

/// For each bit of the codes of two feature vectors 1 where they agree, else 0.
/// \throws Error (unsupported) for a model without binary codes.
std::string agreeing_bits(const Model& model, std::span<const float> a, std::span<const float> b);

/// Writes a contact sheet: the query and its map, then each hit and its map, named with rank, agreeing bits and
/// distance.
/// \throws Error unsupported (a maker without maps), as load_image() for the hits' sources, io.
void write_explanation(const std::filesystem::path& file, const Snapshot& snapshot, const FeatureMaker& maker,
                       const imaging::Image& query, std::span<const float> query_features,
                       const SearchResult& result, int threads);

}  // namespace medretrieval::cli
