#include "gallery/item_check.hpp"

#include <cmath>

#include "base/concat.hpp"
#include "base/utf8.hpp"
#include "gallery/columns.hpp"

namespace medretrieval::gallery {

using detail::fail;

namespace {

void check_text(const std::string& text, std::string_view name, std::size_t row) {
  if (text.size() > kMaxItemText) {
    fail(ErrorCode::invalid_argument, "item ", row, ": expected at most ", kMaxItemText, " bytes in '", name,
         "', got ", text.size());
  }
  if (!detail::is_utf8(text))
    fail(ErrorCode::invalid_argument, "item ", row, ": expected UTF-8 text in '", name, "'");
}

void check_attribute(const std::string& name, const AttributeValue& value, std::size_t row,
                     std::map<std::string, ColumnType>& attributes) {
  if (name.empty() || name.size() > kMaxAttributeName || is_reserved(name) || !detail::is_utf8(name)) {
    fail(ErrorCode::invalid_argument, "item ", row, ": expected an attribute name of 1 to ",
         kMaxAttributeName, " bytes of UTF-8 that is no field of Item, got '", name, "'");
  }
  const bool is_number = std::holds_alternative<double>(value);
  const auto [known, added] = attributes.emplace(name, is_number ? ColumnType::number : ColumnType::text);
  if ((known->second == ColumnType::number) != is_number) {
    fail(ErrorCode::incompatible, "item ", row, ": expected attribute '", name, "' to be a ",
         is_number ? "text" : "number", " as before, got a ", is_number ? "number" : "text");
  }
  if (added && attributes.size() > kMaxAttributes) {
    fail(ErrorCode::limit_exceeded, "item ", row, ": attribute '", name, "' would be number ",
         attributes.size(), ", a gallery has at most ", kMaxAttributes);
  }
  if (is_number && !std::isfinite(std::get<double>(value))) {
    fail(ErrorCode::invalid_argument, "item ", row, ": expected a finite number in attribute '", name,
         "', got ", std::get<double>(value));
  }
  if (!is_number) check_text(std::get<std::string>(value), name, row);
}

}  // namespace

void check_item(const Item& item, std::size_t row, const LabelVocabulary& labels,
                std::map<std::string, ColumnType>& attributes) {
  if (item.id && *item.id > kMaxItemId) {
    fail(ErrorCode::invalid_argument, "item ", row, ": expected an id of at most ", kMaxItemId, ", got ",
         *item.id);
  }
  for (const auto name : kTextFields) check_text(text_field(item, name), name, row);
  for (const auto& label : item.labels) {
    if (!labels.find(label)) fail(ErrorCode::not_found, "item ", row, ": unknown label '", label, "'");
  }
  if (item.date && Date::from_days(item.date->to_days()) != *item.date) {
    fail(ErrorCode::invalid_argument, "item ", row, ": ", item.date->to_string(), " is no date");
  }
  for (const auto& [name, value] : item.attributes) check_attribute(name, value, row, attributes);
}

}  // namespace medretrieval::gallery
