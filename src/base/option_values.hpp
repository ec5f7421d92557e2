// Typed access to checked parameters.
#pragma once

#include <cstddef>
#include <medretrieval/parameters.hpp>
#include <string>

namespace medretrieval::detail {

inline std::size_t whole(const Parameters& parameters, const std::string& name) {
  return static_cast<std::size_t>(std::get<std::int64_t>(parameters.at(name)));
}
inline double real(const Parameters& parameters, const std::string& name) {
  return std::get<double>(parameters.at(name));
}
inline bool truth(const Parameters& parameters, const std::string& name) {
  return std::get<bool>(parameters.at(name));
}
inline const std::string& text(const Parameters& parameters, const std::string& name) {
  return std::get<std::string>(parameters.at(name));
}

}  // namespace medretrieval::detail
