// Options that several encoders have, and typed access to checked parameters.
#pragma once

#include <medretrieval/parameters.hpp>

#include "base/option_values.hpp"

namespace medretrieval::encoders {

/// Seeds are whole numbers that a double holds exactly, because option ranges are doubles.
inline constexpr double kMaxSeed = 9007199254740992.0;

/// The option that bounds the rows to train on.
inline OptionSpec training_rows_spec() {
  return {"training_rows", std::int64_t{65536}, 0, kMaxSeed,
          "drawn at random to train on when there are more; 0: all"};
}

using detail::text;
using detail::truth;
using detail::whole;

}  // namespace medretrieval::encoders
