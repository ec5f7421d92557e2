/// \file
/// Conditions that items must meet to be searched.
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <medretrieval/item.hpp>

namespace medretrieval {

/// A text attribute (or "patient", "study", "modality", "source", "key") equal to any of some values.
struct TextCondition {
  std::string column;
  std::vector<std::string> any_of;  ///< none: no item meets it
};

/// A number attribute within a closed range; items without the attribute do not meet it.
struct NumberCondition {
  std::string column;
  double minimum = -std::numeric_limits<double>::infinity();
  double maximum = std::numeric_limits<double>::infinity();
};

/// All conditions must hold; members left empty set none. A filter holds before anything is ranked, for every
/// search.
struct Filter {
  std::vector<std::string> labels = {};      ///< items with at least one of these labels
  std::vector<std::string> modalities = {};  ///< items of one of these modalities
  std::optional<Date> from = {};             ///< items dated this day or later; undated ones do not meet it
  std::optional<Date> to = {};               ///< items dated this day or earlier; undated ones do not meet it
  std::vector<std::string> exclude_patients =
      {};                                       ///< items of none of these patients; an empty name excludes
                                                ///< nobody, since it stands for unknown
  std::optional<std::vector<ItemId>> ids = {};  ///< only these; unknown ids are ignored
  std::vector<TextCondition> texts = {};
  std::vector<NumberCondition> numbers = {};

  /// Whether it sets no condition.
  bool is_empty() const noexcept {
    return labels.empty() && modalities.empty() && !from && !to && exclude_patients.empty() && !ids &&
           texts.empty() && numbers.empty();
  }
};

}  // namespace medretrieval
