// The order in which an epoch sees its rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace medretrieval::deep {

/// A number for one epoch's use of a seed.
std::uint64_t seed_for(std::uint64_t seed, std::size_t epoch);

/// Rows in the order of an epoch, cut into batches of nearly the same size, none above `batch`.
std::vector<std::vector<std::size_t>> batches_of(std::vector<std::size_t> rows, std::size_t batch,
                                                 std::uint64_t seed, std::size_t epoch);

}  // namespace medretrieval::deep
