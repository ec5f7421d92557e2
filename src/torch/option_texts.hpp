// Options whose value is one of a few words.
#pragma once

#include <initializer_list>
#include <medretrieval/parameters.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/concat.hpp"

namespace medretrieval::deep {

/// The words of an option and what they mean.
template <class Value>
class OptionTexts {
 public:
  OptionTexts(std::initializer_list<std::pair<std::string, Value>> texts) : texts_(texts) {}

  /// \throws Error (invalid_argument) that lists the words.
  Value at(const std::string& text) const {
    for (const auto& [name, value] : texts_) {
      if (name == text) return value;
    }
    detail::fail(ErrorCode::invalid_argument, "expected one of ", names(), ", got '", text, "'");
  }

  /// The meaning of a checked option.
  /// \throws Error (invalid_argument) that names the option and lists the words.
  Value at(const Parameters& options, const std::string& option) const {
    const auto& text = std::get<std::string>(options.at(option));
    for (const auto& [name, value] : texts_) {
      if (name == text) return value;
    }
    detail::fail(ErrorCode::invalid_argument, "option '", option, "': expected one of ", names(), ", got '",
                 text, "'");
  }

  /// The words, separated by commas.
  std::string names() const {
    std::string all;
    for (const auto& [name, value] : texts_) all += (all.empty() ? "" : ", ") + name;
    return all;
  }

 private:
  std::vector<std::pair<std::string, Value>> texts_;
};

}  // namespace medretrieval::deep
