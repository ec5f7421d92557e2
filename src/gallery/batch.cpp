#include "gallery/batch.hpp"

#include <algorithm>
#include <limits>

namespace medretrieval::gallery {

Batch::Batch(const Model& model)
    : model_(model), feature_bytes_(StoredFeatures::row_bytes(model.stored_features(), model.dimension())) {
  for (const auto name : kTextFields) columns_.push_back({std::string(name), ColumnType::text});
  columns_.push_back({std::string(kDateField), ColumnType::date});
}

void Batch::append(std::span<const std::byte> features, const Codes* codes,
                   std::span<const std::uint32_t> lists, std::vector<Item> items) {
  const std::size_t first = items_.size();
  const std::size_t columns = columns_.size();
  std::vector<std::pair<std::size_t, std::size_t>> moved;
  moved.reserve(items.size());
  try {
    features_.insert(features_.end(), features.begin(), features.end());
    if (codes != nullptr) {
      const std::size_t row_bytes = codes->layout().row_bytes();
      codes_.resize((first + codes->rows()) * row_bytes);
      for (std::size_t r = 0; r < codes->rows(); ++r)
        codes->get_row(r, codes_.data() + (first + r) * row_bytes);
    }
    lists_.insert(lists_.end(), lists.begin(), lists.end());
    std::move(items.begin(), items.end(), std::back_inserter(items_));
    index_from(first, moved);
  } catch (...) {
    for (const auto& [row, older] : moved) by_key_.find(items_[row].key)->second = older;
    for (std::size_t row = first; row < items_.size(); ++row) unindex(row);
    truncate(first, columns);
    throw;
  }
}

void Batch::truncate(std::size_t rows, std::size_t columns) noexcept {
  const std::size_t row_bytes = model_.encoder() == nullptr ? 0 : model_.encoder()->layout().row_bytes();
  items_.erase(items_.begin() + static_cast<std::ptrdiff_t>(std::min(rows, items_.size())), items_.end());
  features_.resize(rows * feature_bytes_);
  codes_.resize(rows * row_bytes);
  if (model_.lists() != nullptr) lists_.resize(rows);
  columns_.erase(columns_.begin() + static_cast<std::ptrdiff_t>(columns), columns_.end());
}

void Batch::erase(std::span<const std::size_t> gone) noexcept {
  if (gone.empty()) return;
  for (const auto row : gone) unindex(row);
  const std::size_t row_bytes = model_.encoder() == nullptr ? 0 : model_.encoder()->layout().row_bytes();
  std::size_t kept = gone.front();
  auto next_gone = gone.begin();
  for (std::size_t row = kept; row < items_.size(); ++row) {
    if (next_gone != gone.end() && row == *next_gone) {
      ++next_gone;
      continue;
    }
    std::copy_n(features_.begin() + static_cast<std::ptrdiff_t>(row * feature_bytes_), feature_bytes_,
                features_.begin() + static_cast<std::ptrdiff_t>(kept * feature_bytes_));
    std::copy_n(codes_.begin() + static_cast<std::ptrdiff_t>(row * row_bytes), row_bytes,
                codes_.begin() + static_cast<std::ptrdiff_t>(kept * row_bytes));
    if (model_.lists() != nullptr) lists_[kept] = lists_[row];
    items_[kept] = std::move(items_[row]);
    by_id_.find(*items_[kept].id)->second = kept;
    if (!items_[kept].key.empty()) by_key_.find(items_[kept].key)->second = kept;
    ++kept;
  }
  truncate(kept, columns_.size());
}

void Batch::unindex(std::size_t row) noexcept {
  by_id_.erase(*items_[row].id);
  const auto key = by_key_.find(items_[row].key);
  if (key != by_key_.end() && key->second == row) by_key_.erase(key);
}

void Batch::index_from(std::size_t first, std::vector<std::pair<std::size_t, std::size_t>>& moved) {
  for (std::size_t row = first; row < items_.size(); ++row) {
    by_id_.emplace(*items_[row].id, row);
    if (!items_[row].key.empty()) {
      const auto [place, added] = by_key_.emplace(items_[row].key, row);
      if (!added) moved.emplace_back(row, std::exchange(place->second, row));
    }
    for (const auto& [name, value] : items_[row].attributes) {
      const Column column = {name,
                             std::holds_alternative<double>(value) ? ColumnType::number : ColumnType::text};
      if (std::find(columns_.begin(), columns_.end(), column) == columns_.end()) columns_.push_back(column);
    }
  }
}

std::size_t Batch::find(ItemId id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? kNoRow : found->second;
}

std::size_t Batch::find_key(const std::string& key) const {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? kNoRow : found->second;
}

std::vector<ClassId> Batch::labels(std::size_t row) const {
  std::vector<ClassId> labels;
  for (const auto& name : items_[row].labels) labels.push_back(model_.labels().at(name));
  return labels;
}

std::string_view Batch::text(std::size_t column, std::size_t row) const {
  const Item& item = items_[row];
  if (column < kTextFields.size()) return text_field(item, kTextFields[column]);
  const auto found = item.attributes.find(columns_[column].name);
  return found == item.attributes.end() ? std::string_view() : std::get<std::string>(found->second);
}

double Batch::number(std::size_t column, std::size_t row) const {
  const auto& attributes = items_[row].attributes;
  const auto found = attributes.find(columns_[column].name);
  return found == attributes.end() ? std::numeric_limits<double>::quiet_NaN()
                                   : std::get<double>(found->second);
}

std::int32_t Batch::days(std::size_t, std::size_t row) const {
  return items_[row].date ? items_[row].date->to_days() : kNoDate;
}

std::span<const std::byte> Batch::features(std::size_t row) const {
  return std::span(features_).subspan(row * feature_bytes_, feature_bytes_);
}

void Batch::code(std::size_t row, std::uint8_t* out) const {
  const std::size_t row_bytes = model_.encoder()->layout().row_bytes();
  std::copy_n(codes_.data() + row * row_bytes, row_bytes, out);
}

}  // namespace medretrieval::gallery
