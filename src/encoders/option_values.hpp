// Typed access to checked parameters.
#pragma once

#include <cstddef>
#include <medretrieval/parameters.hpp>
#include <string>

namespace medretrieval::encoders {

/// Seeds are whole numbers that a double holds exactly, because option ranges are doubles.
inline constexpr double kMaxSeed = 9007199254740992.0;

/// The option that bounds the rows to train on.
inline OptionSpec training_rows_spec() {
  return {"training_rows", std::int64_t{65536}, 0, kMaxSeed,
          "drawn at random to train on when there are more; 0: all"};
}

inline std::size_t whole(const Parameters& parameters, const std::string& name) {
  return static_cast<std::size_t>(std::get<std::int64_t>(parameters.at(name)));
}
inline bool truth(const Parameters& parameters, const std::string& name) {
  return std::get<bool>(parameters.at(name));
}
inline const std::string& text(const Parameters& parameters, const std::string& name) {
  return std::get<std::string>(parameters.at(name));
}

}  // namespace medretrieval::encoders
