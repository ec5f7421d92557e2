#include "gallery/batch.hpp"

#include <algorithm>
#include <numeric>

namespace medretrieval::gallery {

void Batch::append(MatrixView features, const Codes* codes, std::vector<Item> items) {
  const std::size_t first = items_.size();
  try {
    for (std::size_t r = 0; r < features.rows(); ++r) {
      const auto row = features.row(r);
      features_.insert(features_.end(), row.begin(), row.end());
    }
    if (codes != nullptr) {
      const std::size_t row_bytes = codes->layout().row_bytes();
      codes_.resize((first + codes->rows()) * row_bytes);
      for (std::size_t r = 0; r < codes->rows(); ++r)
        codes->get_row(r, codes_.data() + (first + r) * row_bytes);
    }
    std::move(items.begin(), items.end(), std::back_inserter(items_));
    index_from(first);
  } catch (...) {  // out of memory: as before
    std::vector<std::size_t> added(items_.size() - std::min(first, items_.size()));
    std::iota(added.begin(), added.end(), first);
    erase(added);
    throw;
  }
}

void Batch::erase(const std::vector<std::size_t>& rows) {
  std::vector<bool> gone(items_.size());
  for (const auto row : rows) gone[row] = true;
  const std::size_t dimension = model_.dimension();
  const std::size_t row_bytes = model_.encoder() == nullptr ? 0 : model_.encoder()->layout().row_bytes();
  std::size_t kept = 0;
  for (std::size_t row = 0; row < items_.size(); ++row) {
    if (gone[row]) continue;
    if (kept != row) {
      items_[kept] = std::move(items_[row]);
      std::copy_n(features_.begin() + static_cast<std::ptrdiff_t>(row * dimension), dimension,
                  features_.begin() + static_cast<std::ptrdiff_t>(kept * dimension));
      std::copy_n(codes_.begin() + static_cast<std::ptrdiff_t>(row * row_bytes), row_bytes,
                  codes_.begin() + static_cast<std::ptrdiff_t>(kept * row_bytes));
    }
    ++kept;
  }
  items_.resize(kept);
  features_.resize(kept * dimension);
  codes_.resize(kept * row_bytes);
  index_from(0);
}

void Batch::index_from(std::size_t first) {
  if (first == 0) {
    by_id_.clear();
    by_key_.clear();
    columns_.clear();
    for (const auto name : kTextFields) columns_.push_back({std::string(name), ColumnType::text});
    columns_.push_back({std::string(kDateField), ColumnType::date});
  }
  for (std::size_t row = first; row < items_.size(); ++row) {
    by_id_.emplace(*items_[row].id, row);
    if (!items_[row].key.empty()) by_key_.emplace(items_[row].key, row);
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

std::span<const float> Batch::features(std::size_t row) const {
  return {features_.data() + row * model_.dimension(), model_.dimension()};
}

void Batch::code(std::size_t row, std::uint8_t* out) const {
  const std::size_t row_bytes = model_.encoder()->layout().row_bytes();
  std::copy_n(codes_.data() + row * row_bytes, row_bytes, out);
}

}  // namespace medretrieval::gallery
