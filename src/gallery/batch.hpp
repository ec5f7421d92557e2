// Rows that wait for the next commit.
#pragma once

#include <medretrieval/model.hpp>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "gallery/row_source.hpp"

namespace medretrieval::gallery {

class Batch final : public RowSource {
 public:
  explicit Batch(const Model& model);

  /// Appends checked rows whose ids are set; all of them or, when memory is out, none. Keys find the newest
  /// row; the caller erases the older one.
  /// \param features as they are stored
  /// \param codes null without an encoder
  /// \param lists one a row; empty without inverted lists
  void append(std::span<const std::byte> features, const Codes* codes, std::span<const std::uint32_t> lists,
              std::vector<Item> items);
  /// Forgets rows.
  /// \param gone ascending, each once
  void erase(std::span<const std::size_t> gone) noexcept;

  /// The row with that id or key, or kNoRow.
  std::size_t find(ItemId id) const;
  std::size_t find_key(const std::string& key) const;
  static constexpr std::size_t kNoRow = ~std::size_t{0};

  std::size_t rows() const override { return items_.size(); }
  const std::vector<Column>& columns() const override { return columns_; }
  ItemId id(std::size_t row) const override { return *items_[row].id; }
  std::vector<ClassId> labels(std::size_t row) const override;
  std::string_view text(std::size_t column, std::size_t row) const override;
  double number(std::size_t column, std::size_t row) const override;
  std::int32_t days(std::size_t column, std::size_t row) const override;
  std::uint32_t list(std::size_t row) const override { return lists_[row]; }
  std::span<const std::byte> features(std::size_t row) const override;
  void code(std::size_t row, std::uint8_t* out) const override;

 private:
  /// Enters the rows from `first` into the lookup tables. A key moves to the newer row; `moved` receives
  /// that row and the older one.
  void index_from(std::size_t first, std::vector<std::pair<std::size_t, std::size_t>>& moved);
  /// Takes a row out of the lookup tables, unless its key has moved on.
  void unindex(std::size_t row) noexcept;
  void truncate(std::size_t rows, std::size_t columns) noexcept;

  Model model_;
  std::vector<Item> items_;
  std::size_t feature_bytes_;        // of a row
  std::vector<std::byte> features_;  // as they are stored
  std::vector<std::uint8_t> codes_;  // packed
  std::vector<std::uint32_t> lists_;
  std::vector<Column> columns_;  // the fields, then the attributes
  std::unordered_map<ItemId, std::size_t> by_id_;
  std::unordered_map<std::string, std::size_t> by_key_;
};

}  // namespace medretrieval::gallery
