// Which kernel table this process uses.
#pragma once

#include <vector>

#include "kernels/kernel_table.hpp"

namespace medretrieval::kernels {

/// The complete tables this processor can run, slowest first; the first is always "scalar".
const std::vector<KernelTable>& supported();

/// The table in use: the last of `supported()`, or the one that the environment variable
/// MEDRETRIEVAL_FORCE_ISA names. Chosen at the first call and never changed.
/// \throws Error (unsupported) when the variable names a table that this processor or build does not have.
const KernelTable& active();

}  // namespace medretrieval::kernels
