#include "gallery/merged_rows.hpp"

#include <algorithm>

namespace medretrieval::gallery {

MergedRows::MergedRows(std::vector<const detail::SnapshotPart*> parts) : parts_(std::move(parts)) {
  for (std::uint32_t p = 0; p < parts_.size(); ++p) {
    for (std::uint32_t row = 0; row < parts_[p]->segment->rows(); ++row) {
      if (parts_[p]->is_live(row)) places_.push_back({p, row});
    }
    for (const auto& column : parts_[p]->segment->columns()) {
      if (std::find(columns_.begin(), columns_.end(), column) == columns_.end()) columns_.push_back(column);
    }
  }
}

ItemId MergedRows::id(std::size_t row) const {
  return segment(row).id(places_[row].row);
}

std::vector<ClassId> MergedRows::labels(std::size_t row) const {
  return segment(row).labels(places_[row].row);
}

std::string_view MergedRows::text(std::size_t column, std::size_t row) const {
  const auto* found = segment(row).text(columns_[column].name);
  return found == nullptr ? std::string_view() : found->value(places_[row].row);
}

double MergedRows::number(std::size_t column, std::size_t row) const {
  const auto* found = segment(row).number(columns_[column].name);
  return found == nullptr ? std::numeric_limits<double>::quiet_NaN() : found->at(places_[row].row);
}

std::int32_t MergedRows::days(std::size_t, std::size_t row) const {
  const auto* found = segment(row).days();
  return found == nullptr ? kNoDate : found->at(places_[row].row);
}

std::uint32_t MergedRows::list(std::size_t row) const {
  return segment(row).list(places_[row].row);
}

std::span<const std::byte> MergedRows::features(std::size_t row) const {
  segment(row).ensure_features(places_[row].row, places_[row].row + 1);
  return segment(row).features().row(places_[row].row);
}

void MergedRows::code(std::size_t row, std::uint8_t* out) const {
  segment(row).codes(places_[row].row, places_[row].row + 1).get_row(places_[row].row, out);
}

}  // namespace medretrieval::gallery
