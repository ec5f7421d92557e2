// Options whose value is one of a few words.
#pragma once

#include <initializer_list>
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
