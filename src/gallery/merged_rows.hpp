// The live rows of several segments as one source, for compaction.
#pragma once

#include <set>

#include "gallery/row_source.hpp"
#include "gallery/snapshot_state.hpp"

namespace medretrieval::gallery {

class MergedRows final : public RowSource {
 public:
  explicit MergedRows(std::vector<const detail::SnapshotPart*> parts);

  std::size_t rows() const override { return places_.size(); }
  const std::vector<Column>& columns() const override { return columns_; }
  ItemId id(std::size_t row) const override;
  std::vector<ClassId> labels(std::size_t row) const override;
  std::string_view text(std::size_t column, std::size_t row) const override;
  double number(std::size_t column, std::size_t row) const override;
  std::int32_t days(std::size_t column, std::size_t row) const override;
  std::uint32_t list(std::size_t row) const override;
  std::span<const std::byte> features(std::size_t row) const override;
  void code(std::size_t row, std::uint8_t* out) const override;

 private:
  struct Place {
    std::uint32_t part;
    std::uint32_t row;
  };
  const Segment& segment(std::size_t row) const { return *parts_[places_[row].part]->segment; }

  std::vector<const detail::SnapshotPart*> parts_;
  std::vector<Place> places_;
  std::vector<Column> columns_;
};

}  // namespace medretrieval::gallery
