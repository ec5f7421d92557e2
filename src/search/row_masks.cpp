#include "search/row_masks.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>

#include "base/concat.hpp"
#include "codes/row_words.hpp"
#include "gallery/columns.hpp"
#include "gallery/row_source.hpp"

namespace medretrieval::detail {

namespace {

/// Eligible rows are known one by one where fewer than one row in so many is eligible.
constexpr std::size_t kManyForOne = 32;

std::size_t words_for(std::size_t rows) {
  return CodeLayout::blocks_for(rows);
}

}  // namespace

MaskBuilder::MaskBuilder(std::size_t rows, bool all) : words_(words_for(rows)) {
  if (all) set_range(0, rows);
}

MaskBuilder::MaskBuilder(const RowMask& mask, std::size_t rows) : MaskBuilder(rows, mask == nullptr) {
  if (mask != nullptr) words_ = *mask;
}

void MaskBuilder::set_range(std::size_t begin, std::size_t end) {
  for (std::size_t w = begin / 64; w * 64 < end; ++w) words_[w] |= bits_between(w, begin, end);
}

void MaskBuilder::unite(const std::vector<std::uint64_t>& other) {
  for (std::size_t w = 0; w < words_.size(); ++w) words_[w] |= other[w];
}

void MaskBuilder::intersect(const std::vector<std::uint64_t>& other) {
  for (std::size_t w = 0; w < words_.size(); ++w) words_[w] &= other[w];
}

std::size_t count_rows(const RowMask& mask, std::size_t begin, std::size_t end) {
  return count_set(mask == nullptr ? nullptr : mask->data(), begin, end);
}

namespace {

/// Applies one filter to one part after the other.
class FilterCompiler {
 public:
  FilterCompiler(const Filter& filter, const SnapshotState& state) : filter_(filter), state_(state) {
    for (const auto& label : filter.labels) labels_.push_back(state.model.labels().at(label));
    Filter further = filter;
    further.labels.clear();
    has_further_conditions_ = !further.is_empty();
    if (!filter.modalities.empty()) texts_.push_back({"modality", filter.modalities});
    texts_.insert(texts_.end(), filter.texts.begin(), filter.texts.end());
    for (const auto& condition : texts_) require_column(condition.column, ColumnType::text);
    for (const auto& condition : filter.numbers) {
      require_column(condition.column, ColumnType::number);
      if (!(condition.minimum <= condition.maximum)) {
        fail(ErrorCode::invalid_argument, "filter: expected a range in '", condition.column, "', got ",
             condition.minimum, " to ", condition.maximum);
      }
    }
    for (const auto& date : {filter.from, filter.to}) {
      if (date && Date::from_days(date->to_days()) != *date) {
        fail(ErrorCode::invalid_argument, "filter: ", date->to_string(), " is no date");
      }
    }
    if (filter.from && filter.to && *filter.to < *filter.from) {
      fail(ErrorCode::invalid_argument, "filter: expected a range of dates, got ", filter.from->to_string(),
           " to ", filter.to->to_string());
    }
  }

  /// Where each item has one label, those of a label lie together and need no mask.
  std::vector<RowRange> ranges(const gallery::Segment& segment) const {
    if (labels_.empty() || segment.has_several_labels())
      return {{0, static_cast<std::uint32_t>(segment.rows())}};
    const std::set<ClassId> distinct(labels_.begin(), labels_.end());
    std::vector<RowRange> ranges;
    for (const auto label : distinct) {
      const auto [begin, end] = segment.class_range(label);
      if (begin < end) ranges.push_back({begin, end});
    }
    return ranges;
  }

  RowMask mask(const SnapshotPart& part) const {
    const gallery::Segment& segment = *part.segment;
    const bool by_label = !labels_.empty() && segment.has_several_labels();
    if (!by_label && !has_further_conditions_) return part.alive;
    MaskBuilder mask(part.alive, segment.rows());
    if (by_label) mask.intersect(*with_labels(segment));
    for (const auto& condition : texts_) mask.intersect(*with_text(segment, condition));
    for (const auto& condition : filter_.numbers) mask.intersect(*with_number(segment, condition));
    if (filter_.from || filter_.to) mask.intersect(*with_date(segment));
    if (filter_.ids) mask.intersect(*with_ids(segment));
    for (const auto& patient : filter_.exclude_patients) {
      if (patient.empty()) continue;
      for_each_row(segment, "patient", patient, [&](std::uint32_t row) { mask.clear(row); });
    }
    return mask.finish();
  }

 private:
  void require_column(const std::string& name, ColumnType type) const {
    const auto& fields = gallery::kTextFields;
    const bool is_field = std::find(fields.begin(), fields.end(), name) != fields.end();
    if (is_field && type == ColumnType::text) return;
    const auto found = state_.attributes.find(name);
    if (found != state_.attributes.end() && found->second == type) return;
    std::string known;
    for (const auto& [each, each_type] : state_.attributes) {
      if (each_type == type) known += (known.empty() ? "" : ", ") + each;
    }
    fail(ErrorCode::not_found, "filter: no ", type == ColumnType::text ? "text" : "number", " column '", name,
         "'; the gallery has: ", known.empty() ? "none" : known);
  }

  /// Calls visit(row) for the rows whose column has that text; an absent column is empty everywhere.
  template <class Visit>
  static void for_each_row(const gallery::Segment& segment, const std::string& column,
                           const std::string& text, const Visit& visit) {
    const auto* values = segment.text(column);
    if (values == nullptr) return;
    const auto entry = values->find(text);
    if (!entry) return;
    for (const auto row : values->rows_of(*entry)) {
      if (row >= segment.rows())
        segment.file().corrupt("column '" + column + "' names a row that is not there");
      visit(row);
    }
  }

  RowMask with_labels(const gallery::Segment& segment) const {
    MaskBuilder mask(segment.rows());
    for (const auto label : labels_) {
      const auto [begin, end] = segment.class_range(label);
      mask.set_range(begin, end);
      if (const auto members = segment.members(label)) mask.unite(*members);
    }
    return mask.finish();
  }

  static RowMask with_text(const gallery::Segment& segment, const TextCondition& condition) {
    const bool absent = segment.text(condition.column) == nullptr;
    const auto& wanted = condition.any_of;
    MaskBuilder mask(segment.rows(), absent && std::find(wanted.begin(), wanted.end(), "") != wanted.end());
    for (const auto& text : wanted) {
      for_each_row(segment, condition.column, text, [&](std::uint32_t row) { mask.set(row); });
    }
    return mask.finish();
  }

  static RowMask with_number(const gallery::Segment& segment, const NumberCondition& condition) {
    MaskBuilder mask(segment.rows());
    if (const auto* values = segment.number(condition.column)) {
      const auto all = values->all();
      for (std::size_t row = 0; row < all.size(); ++row) {
        if (all[row] >= condition.minimum && all[row] <= condition.maximum) mask.set(row);
      }
    }
    return mask.finish();
  }

  RowMask with_date(const gallery::Segment& segment) const {
    MaskBuilder mask(segment.rows());
    if (const auto* days = segment.days()) {
      const auto all = days->all();
      const std::int32_t from = filter_.from ? filter_.from->to_days() : gallery::kNoDate + 1;
      const std::int32_t to = filter_.to ? filter_.to->to_days() : std::numeric_limits<std::int32_t>::max();
      for (std::size_t row = 0; row < all.size(); ++row) {
        if (all[row] != gallery::kNoDate && all[row] >= from && all[row] <= to) mask.set(row);
      }
    }
    return mask.finish();
  }

  RowMask with_ids(const gallery::Segment& segment) const {
    MaskBuilder mask(segment.rows());
    for (const auto id : *filter_.ids) {
      if (const auto row = segment.find(id)) mask.set(*row);
    }
    return mask.finish();
  }

  const Filter& filter_;
  const SnapshotState& state_;
  std::vector<ClassId> labels_;
  bool has_further_conditions_ = false;
  std::vector<TextCondition> texts_;
};

}  // namespace

EligibleRows::EligibleRows(const Filter& filter, std::shared_ptr<const SnapshotState> of)
    : state(std::move(of)) {
  const FilterCompiler compiler(filter, *state);
  for (const auto& from : state->parts) {
    Part part;
    part.ranges = compiler.ranges(*from.segment);
    part.mask = compiler.mask(from);
    std::uint32_t count = 0;
    for (std::size_t w = 0; part.mask != nullptr && w < part.mask->size(); ++w) {
      part.before.push_back(count);
      count += static_cast<std::uint32_t>(std::popcount((*part.mask)[w]));
    }
    if (part.mask != nullptr && count < from.segment->rows() / kManyForOne) {
      part.rows.reserve(count);
      for_each_set(part.mask->data(), 0, from.segment->rows(),
                   [&](std::uint32_t row) { part.rows.push_back(row); });
    }
    parts.push_back(std::move(part));
  }
}

std::size_t EligibleRows::Part::count(std::size_t begin, std::size_t end) const {
  if (mask == nullptr || begin >= end) return end - begin;
  const std::size_t first = begin / 64;
  const std::size_t last = (end - 1) / 64;
  const std::size_t whole = before[last] - before[first];
  // Rows of the first word before `begin` do not count; those of the last word up to `end` do.
  return whole - count_rows(mask, first * 64, begin) + count_rows(mask, last * 64, end);
}

std::size_t EligibleRows::Part::count() const {
  std::size_t sum = 0;
  for (const auto& range : ranges) sum += count(range.begin, range.end);
  return sum;
}

}  // namespace medretrieval::detail
