// Everything that must hold of items before a gallery takes them.
#pragma once

#include <map>
#include <medretrieval/item.hpp>
#include <medretrieval/model.hpp>
#include <span>
#include <string>

namespace medretrieval::gallery {

/// Checks what can be checked of an item alone, and notes its attributes' types in `attributes`.
/// \param row names the item in messages
/// \throws Error invalid_argument, not_found (label), incompatible (an attribute of another type),
///        limit_exceeded.
void check_item(const Item& item, std::size_t row, const LabelVocabulary& labels,
                std::map<std::string, ColumnType>& attributes);

}  // namespace medretrieval::gallery
