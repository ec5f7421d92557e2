// The options that PQ and OPQ share.
#pragma once

#include <medretrieval/parameters.hpp>
#include <string>
#include <vector>

#include "base/concat.hpp"
#include "encoders/option_values.hpp"
#include "encoders/product_codebook.hpp"

namespace medretrieval::encoders {

inline std::vector<OptionSpec> product_option_specs() {
  return {{"subspaces", std::int64_t{8}, 1, CodeLayout::kMaxSubspaces, "M, at most the dimension"},
          {"bits_per_entry", std::int64_t{8}, 4, 8, "4 (16 centroids a subspace) or 8 (256)"},
          {"iterations", std::int64_t{25}, 1, 10000, "of k-means"},
          training_rows_spec(),
          {"seed", std::int64_t{1}, 0, kMaxSeed, "of the first centroids"}};
}

/// \throws Error (invalid_argument) when bits_per_entry is between 4 and 8.
inline ProductOptions product_options(const std::string& type, const Parameters& parameters, int threads) {
  const std::size_t bits = whole(parameters, "bits_per_entry");
  if (bits != 4 && bits != 8) {
    detail::fail(ErrorCode::invalid_argument, "encoder '", type,
                 "': option 'bits_per_entry' must be 4 or 8, got ", bits);
  }
  return {.subspaces = whole(parameters, "subspaces"),
          .bits_per_entry = bits,
          .iterations = whole(parameters, "iterations"),
          .training_rows = whole(parameters, "training_rows"),
          .seed = whole(parameters, "seed"),
          .threads = threads};
}

}  // namespace medretrieval::encoders
