// The columns every item has besides its named attributes.
#pragma once

#include <algorithm>
#include <array>
#include <medretrieval/item.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace medretrieval::gallery {

struct Column {
  std::string name;
  ColumnType type = ColumnType::text;
  bool operator==(const Column&) const = default;
};

inline constexpr std::array<std::string_view, 5> kTextFields = {"key", "patient", "study", "modality",
                                                                "source"};
inline constexpr std::string_view kDateField = "date";

/// Names that attributes cannot take: those of the fields, and words that would be mistaken for them.
inline bool is_reserved(std::string_view name) {
  return std::find(kTextFields.begin(), kTextFields.end(), name) != kTextFields.end() || name == kDateField ||
         name == "id" || name == "labels";
}

/// The text field of that name.
inline const std::string& text_field(const Item& item, std::string_view name) {
  if (name == "key") return item.key;
  if (name == "patient") return item.patient;
  if (name == "study") return item.study;
  if (name == "modality") return item.modality;
  return item.source;
}
inline std::string& text_field(Item& item, std::string_view name) {
  return const_cast<std::string&>(text_field(static_cast<const Item&>(item), name));
}

}  // namespace medretrieval::gallery
