#include "gallery/segment.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>

#include "base/concat.hpp"
#include "base/feature_storage.hpp"
#include "gallery/row_source.hpp"
#include "gallery/segment_format.hpp"

namespace medretrieval::gallery {

using detail::concat;

std::shared_ptr<const Segment> Segment::open(std::shared_ptr<const io::SectionFile> file,
                                             const Model& model) {
  const io::SectionArray<std::byte> meta_bytes(file, {kMeta, 0});
  SegmentMeta meta = SegmentMeta::from_bytes(meta_bytes.all(), file->name());
  if (meta.model != model.fingerprint()) {
    detail::fail(ErrorCode::incompatible, file->name(), ": expected a segment of model ",
                 model.fingerprint().to_string(), ", got one of ", meta.model.to_string());
  }
  const bool same_layout =
      model.encoder() == nullptr ? !meta.layout : meta.layout == model.encoder()->layout();
  const bool same_lists = meta.has_lists == (model.lists() != nullptr);
  if (meta.dimension != model.dimension() || meta.classes != model.labels().size() || !same_layout ||
      !same_lists || meta.stored_features != model.stored_features()) {
    file->corrupt("dimension, classes, lists, feature type or code layout are not those of the model");
  }
  const std::size_t lists = model.lists() != nullptr ? model.lists()->lists() : 0;
  return std::shared_ptr<const Segment>(new Segment(std::move(file), std::move(meta), lists));
}

Segment::Segment(std::shared_ptr<const io::SectionFile> file, SegmentMeta meta, std::size_t lists)
    : file_(std::move(file)),
      meta_(std::move(meta)),
      ids_(file_, {kIds, 0}, meta_.rows),
      id_order_(file_, {kIdOrder, 0}, meta_.rows),
      features_(file_, {kFeatures, 0},
                meta_.rows * StoredFeatures::row_bytes(meta_.stored_features, meta_.dimension)) {
  const io::SectionArray<std::uint32_t> starts(file_, {kClassStarts, 0}, meta_.classes + 2);
  class_starts_.assign(starts.all().begin(), starts.all().end());
  if (class_starts_.front() != 0 || class_starts_.back() != meta_.rows ||
      !std::is_sorted(class_starts_.begin(), class_starts_.end())) {
    file_->corrupt("the class ranges do not cover the rows");
  }
  if (meta_.layout) {
    codes_ = {file_, {kCodes, 0}, CodeLayout::blocks_for(meta_.rows) * meta_.layout->block_bytes()};
  }
  if (meta_.has_lists) open_lists(lists);
  several_labels_ = file_->has({kOtherLabelStarts, 0});
  if (several_labels_) {
    other_label_starts_ = {file_, {kOtherLabelStarts, 0}, meta_.rows + 1};
    other_labels_ = {file_, {kOtherLabels, 0}};
    member_starts_ = {file_, {kMemberStarts, 0}, meta_.classes + 1};
    member_rows_ = {file_, {kMemberRows, 0}, other_labels_.size()};
  }
  open_columns();
}

/// Reads the cells, which cover the rows in order and begin anew with every class, and turns them round.
void Segment::open_lists(std::size_t lists) {
  const io::SectionArray<std::uint32_t> numbers(file_, {kCells, 0});
  const auto all = numbers.all();
  if (all.size() % 2 != 0) file_->corrupt("the cells of the inverted lists are cut");
  for (std::size_t i = 0; i + 1 < all.size(); i += 2) cells_.push_back({all[i], all[i + 1]});
  std::size_t next_class = 0;
  ListRows rows;
  rows.starts.assign(lists + 1, 0);
  for (std::size_t c = 0; c < cells_.size(); ++c) {
    const std::uint32_t begin = cells_[c].first_row;
    while (next_class < class_starts_.size() && class_starts_[next_class] < begin) ++next_class;
    const bool begins_class = next_class < class_starts_.size() && class_starts_[next_class] == begin;
    const bool ascends = c == 0 ? begin == 0 : begin > cells_[c - 1].first_row;
    const bool in_order = begins_class || (c > 0 && cells_[c].list > cells_[c - 1].list);
    if (cells_[c].list >= lists || begin >= meta_.rows || !ascends || !in_order) {
      file_->corrupt(concat("cell ", c, " of the inverted lists is out of place"));
    }
    ++rows.starts[cells_[c].list + 1];
  }
  for (const auto start : class_starts_) {
    const auto same = [&](const Cell& cell) { return cell.first_row < start; };
    const auto cell = std::partition_point(cells_.begin(), cells_.end(), same);
    if (start < meta_.rows && (cell == cells_.end() || cell->first_row != start)) {
      file_->corrupt("a class does not begin with a cell of the inverted lists");
    }
  }
  std::partial_sum(rows.starts.begin(), rows.starts.end(), rows.starts.begin());
  rows.ranges.resize(cells_.size());
  auto next = rows.starts;
  for (std::size_t c = 0; c < cells_.size(); ++c) {
    const auto end = c + 1 < cells_.size() ? cells_[c + 1].first_row : static_cast<std::uint32_t>(meta_.rows);
    rows.ranges[next[cells_[c].list]++] = {cells_[c].first_row, end};
  }
  lists_ = std::move(rows);
}

void Segment::open_columns() {
  for (std::uint32_t c = 0; c < meta_.columns.size(); ++c) {
    const auto& [name, type] = meta_.columns[c];
    bool added = true;
    if (type == ColumnType::text) {
      added = texts_.emplace(name, TextColumn(file_, c, meta_.rows)).second;
    } else if (type == ColumnType::number) {
      added = numbers_.emplace(name, io::SectionArray<double>(file_, {kNumbers, c}, meta_.rows)).second;
    } else {
      added = !days_.has_value();
      days_.emplace(file_, io::SectionKey{kDays, c}, meta_.rows);
    }
    if (!added) file_->corrupt("column '" + name + "' is there twice");
  }
}

void Segment::ensure_features(std::span<const std::uint32_t> rows) const {
  if (features_.is_checked() || file_->is_checked()) return;
  const StoredFeatures features = this->features();
  for (const auto row : rows) {
    file_->ensure(features.row(row));
  }
}

std::optional<std::uint32_t> Segment::find(ItemId id) const {
  std::size_t low = 0;
  std::size_t high = rows();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (ids_.at(id_order_.at(middle)) < id) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == rows()) return std::nullopt;
  const auto row = id_order_.at(low);
  if (ids_.at(row) != id) return std::nullopt;
  return row;
}

std::optional<ItemId> Segment::largest_id() const {
  if (rows() == 0) return std::nullopt;
  return ids_.at(id_order_.at(rows() - 1));
}

CodesView Segment::codes(std::size_t begin, std::size_t end) const {
  const std::size_t block_bytes = meta_.layout->block_bytes();
  const std::size_t first = begin / CodeLayout::kBlockRows;
  (void)codes_.range(first * block_bytes, (CodeLayout::blocks_for(end) - first) * block_bytes);
  return {*meta_.layout, codes_.data(), rows()};
}

StoredFeatures Segment::features() const noexcept {
  return {meta_.stored_features, features_.data(), rows(), meta_.dimension};
}

void Segment::ensure_features(std::size_t begin, std::size_t end) const {
  const std::size_t row_bytes = features().row_bytes();
  (void)features_.range(begin * row_bytes, (end - begin) * row_bytes);
}

std::uint32_t Segment::list(std::size_t row) const {
  const auto begins_later = [&](const Cell& cell) { return cell.first_row <= row; };
  return std::prev(std::partition_point(cells_.begin(), cells_.end(), begins_later))->list;
}

std::vector<ClassId> Segment::labels(std::size_t row) const {
  std::vector<ClassId> labels;
  const auto after = std::upper_bound(class_starts_.begin(), class_starts_.end(), row);
  const auto primary = static_cast<ClassId>(after - class_starts_.begin() - 1);
  if (primary < meta_.classes) labels.push_back(primary);
  if (several_labels_) {
    const auto bounds = other_label_starts_.range(row, 2);
    const auto others = other_labels_.range(bounds[0], bounds[1] - bounds[0]);
    if (std::any_of(others.begin(), others.end(), [&](ClassId label) { return label >= meta_.classes; })) {
      file_->corrupt(concat("row ", row, " has a label outside the vocabulary"));
    }
    labels.insert(labels.end(), others.begin(), others.end());
  }
  return labels;
}

std::shared_ptr<const std::vector<std::uint64_t>> Segment::members(ClassId label) const {
  if (!several_labels_) return nullptr;
  const std::lock_guard lock(members_mutex_);
  const auto known = members_.find(label);
  if (known != members_.end()) return known->second;
  const auto bounds = member_starts_.range(label, 2);
  const auto member_rows = member_rows_.range(bounds[0], bounds[1] - bounds[0]);
  std::shared_ptr<std::vector<std::uint64_t>> bits;
  if (!member_rows.empty())
    bits = std::make_shared<std::vector<std::uint64_t>>(CodeLayout::blocks_for(rows()));
  for (const auto row : member_rows) {
    if (row >= rows()) file_->corrupt(concat("class ", label, " lists row ", row, " of ", rows()));
    (*bits)[row / 64] |= std::uint64_t{1} << row % 64;
  }
  return members_[label] = std::move(bits);
}

const TextColumn* Segment::text(std::string_view name) const {
  const auto found = texts_.find(name);
  return found == texts_.end() ? nullptr : &found->second;
}

const io::SectionArray<double>* Segment::number(std::string_view name) const {
  const auto found = numbers_.find(name);
  return found == numbers_.end() ? nullptr : &found->second;
}

Item Segment::item(std::size_t row, const LabelVocabulary& vocabulary) const {
  Item item;
  item.id = id(row);
  for (const auto label : labels(row)) item.labels.push_back(vocabulary.name(label));
  for (const auto& [name, column] : texts_) {
    const auto value = column.value(row);
    if (is_reserved(name)) {
      text_field(item, name) = value;
    } else if (!value.empty()) {
      item.attributes[name] = std::string(value);
    }
  }
  for (const auto& [name, column] : numbers_) {
    const double value = column.at(row);
    if (!std::isnan(value)) item.attributes[name] = value;
  }
  if (days_ && days_->at(row) != kNoDate) item.date = Date::from_days(days_->at(row));
  return item;
}

void Segment::verify() const {
  file_->verify();
  verify_rows();
  verify_labels();
  for (const auto& [name, column] : texts_) column.verify(*file_);
}

void Segment::verify_rows() const {
  const auto ids = ids_.all();
  const auto order = id_order_.all();
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (order[i] >= rows() || (i > 0 && !(ids[order[i - 1]] < ids[order[i]]))) {
      file_->corrupt("the order of ids is wrong");
    }
  }
  std::vector<std::uint32_t> starts = class_starts_;  // of rows in the order of their ids
  if (meta_.has_lists) {
    starts.clear();
    for (const auto& cell : cells_) starts.push_back(cell.first_row);
    starts.push_back(static_cast<std::uint32_t>(rows()));
  }
  for (std::size_t i = 0; i + 1 < starts.size(); ++i) {
    if (!std::is_sorted(ids.begin() + starts[i], ids.begin() + starts[i + 1])) {
      file_->corrupt(concat("the rows from ", starts[i], " are not in the order of their ids"));
    }
  }
  (void)features_.all();
  if (!detail::are_sound(features())) {
    file_->corrupt("a feature value is not finite or too large");
  }
}

void Segment::verify_labels() const {
  if (!several_labels_) return;
  std::size_t listed = 0;
  for (ClassId label = 0; label < meta_.classes; ++label) {
    const auto bits = members(label);
    for (std::size_t row = 0; bits != nullptr && row < rows(); ++row) {
      if (((*bits)[row / 64] >> row % 64 & 1) == 0) continue;
      const auto own = labels(row);
      if (own.empty() || std::find(own.begin() + 1, own.end(), label) == own.end()) {
        file_->corrupt(concat("class ", label, " lists row ", row, ", which does not carry it"));
      }
      ++listed;
    }
  }
  if (listed != other_labels_.size()) file_->corrupt("the class lists do not name every label");
}

}  // namespace medretrieval::gallery
