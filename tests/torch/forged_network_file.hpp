// A small model, and its file with sections exchanged, checksums right again: what only a hostile writer makes.
#pragma once

#include <map>
#include <medretrieval/torch/deep_model.hpp>
#include <optional>
#include <string>

#include "model/network_sections.hpp"

namespace medretrieval::deep::testing {

/// An untrained fcdn of some ten thousand weights; the seed decides them.
DeepModel tiny_model(std::uint64_t seed);

/// New content of sections; nothing: the section is left out.
using Replacements = std::map<detail::NetworkSection, std::optional<std::string>>;

/// Writes a network file or checkpoint anew with other sections. Files with assets are not meant.
void rewrite(const std::filesystem::path& file, const Replacements& replacements);

/// The bytes of a section.
std::string section_text(const std::filesystem::path& file, detail::NetworkSection section);

}  // namespace medretrieval::deep::testing
