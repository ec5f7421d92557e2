// One immutable segment: columns, codes and features of rows ordered by (primary class, list, id).
#pragma once

#include <cstddef>
#include <map>
#include <medretrieval/codes.hpp>
#include <medretrieval/item.hpp>
#include <medretrieval/model.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "gallery/columns.hpp"
#include "io/section_file.hpp"

namespace medretrieval::gallery {

/// Where the rows of one list and class begin.
struct Cell {
  std::uint32_t list = 0;
  std::uint32_t first_row = 0;
};

/// What the meta section holds.
struct SegmentMeta {
  std::uint64_t rows = 0;
  std::uint64_t dimension = 0;
  std::uint64_t classes = 0;
  Fingerprint model;
  std::optional<CodeLayout> layout;  ///< none: the model has no encoder
  bool has_lists = false;
  FeatureType stored_features = FeatureType::float32;
  std::vector<Column> columns;

  std::vector<std::byte> to_bytes() const;
  /// \throws Error corrupt, unsupported.
  static SegmentMeta from_bytes(std::span<const std::byte> bytes, const std::string& name);
};

/// A column of texts, each distinct text stored once.
class TextColumn {
 public:
  TextColumn(const std::shared_ptr<const io::SectionFile>& file, std::uint32_t column, std::size_t rows);

  std::string_view value(std::size_t row) const { return entry(codes_.at(row)); }
  std::size_t entries() const noexcept { return starts_.size() - 1; }
  std::string_view entry(std::size_t number) const;
  std::optional<std::size_t> find(std::string_view text) const;
  /// Rows with that entry, ascending. Numbers are not checked against the row count.
  std::span<const std::uint32_t> rows_of(std::size_t entry) const;
  void verify(const io::SectionFile& file) const;

 private:
  io::SectionArray<std::uint64_t> starts_;
  io::SectionArray<char> bytes_;
  io::SectionArray<std::uint32_t> codes_;
  io::SectionArray<std::uint32_t> row_starts_;
  io::SectionArray<std::uint32_t> rows_;
};

class Segment {
 public:
  /// Checks the structure and that the segment belongs to the model.
  /// \throws Error corrupt, unsupported, incompatible.
  static std::shared_ptr<const Segment> open(std::shared_ptr<const io::SectionFile> file, const Model& model);

  std::size_t rows() const noexcept { return meta_.rows; }
  const io::SectionFile& file() const noexcept { return *file_; }
  const std::vector<Column>& columns() const noexcept { return meta_.columns; }

  /// Checked on return.
  std::span<const ItemId> ids() const { return ids_.all(); }
  ItemId id(std::size_t row) const { return ids_.at(row); }
  std::optional<std::uint32_t> find(ItemId id) const;
  std::optional<ItemId> largest_id() const;  ///< none without rows

  /// The blocks that hold rows `begin` to `end` are checked, the others may not be.
  CodesView codes(std::size_t begin, std::size_t end) const;
  /// The whole matrix; call ensure_features before reading a row.
  StoredFeatures features() const noexcept;
  void ensure_features(std::size_t begin, std::size_t end) const;
  /// \param rows below rows()
  void ensure_features(std::span<const std::uint32_t> rows) const;

  /// Rows whose primary class it is; the class after the last one stands for unlabelled rows.
  std::pair<std::uint32_t, std::uint32_t> class_range(ClassId label) const {
    return {class_starts_[label], class_starts_[label + 1]};
  }
  /// Where the rows of each inverted list lie; null without lists.
  const ListRows* lists() const noexcept { return lists_ ? &*lists_ : nullptr; }
  std::uint32_t list(std::size_t row) const;
  /// Whether rows may carry labels beside their primary class.
  bool has_several_labels() const noexcept { return several_labels_; }
  std::vector<ClassId> labels(std::size_t row) const;
  /// One bit a row for those that carry `label` beside another primary class; null when there are none.
  std::shared_ptr<const std::vector<std::uint64_t>> members(ClassId label) const;

  const TextColumn* text(std::string_view name) const;
  const io::SectionArray<double>* number(std::string_view name) const;
  /// Days since 1970-01-01.
  const io::SectionArray<std::int32_t>* days() const { return days_ ? &*days_ : nullptr; }

  /// Everything known of a row.
  Item item(std::size_t row, const LabelVocabulary& labels) const;

  /// Reads everything: checksums, order, references, values.
  /// \throws Error (corrupt).
  void verify() const;

 private:
  Segment(std::shared_ptr<const io::SectionFile> file, SegmentMeta meta, std::size_t lists);
  void open_lists(std::size_t lists);
  void open_columns();
  void verify_rows() const;
  void verify_labels() const;

  std::shared_ptr<const io::SectionFile> file_;
  SegmentMeta meta_;
  io::SectionArray<ItemId> ids_;
  io::SectionArray<std::uint32_t> id_order_;
  std::vector<std::uint32_t> class_starts_;
  io::SectionArray<std::uint8_t> codes_;
  io::SectionArray<std::byte> features_;
  std::vector<Cell> cells_;  // by row
  std::optional<ListRows> lists_;
  bool several_labels_ = false;
  io::SectionArray<std::uint32_t> other_label_starts_;
  io::SectionArray<std::uint32_t> other_labels_;
  io::SectionArray<std::uint32_t> member_starts_;
  io::SectionArray<std::uint32_t> member_rows_;
  std::map<std::string, TextColumn, std::less<>> texts_;
  std::map<std::string, io::SectionArray<double>, std::less<>> numbers_;
  std::optional<io::SectionArray<std::int32_t>> days_;
  mutable std::mutex members_mutex_;
  mutable std::map<ClassId, std::shared_ptr<const std::vector<std::uint64_t>>> members_;
};

}  // namespace medretrieval::gallery
