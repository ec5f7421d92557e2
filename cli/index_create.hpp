// `index create`.
#pragma once

#include <CLI/CLI.hpp>

namespace medretrieval::cli {

void add_index_create(CLI::App& index);

}  // namespace medretrieval::cli
