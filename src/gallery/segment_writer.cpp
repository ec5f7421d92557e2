#include "gallery/segment_writer.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

#include "base/progress_counter.hpp"
#include "gallery/segment.hpp"
#include "gallery/segment_format.hpp"

namespace medretrieval::gallery {

namespace {

struct SmallSection {
  io::SectionKey key;
  std::vector<std::byte> bytes;
};

/// Gathers a segment's small sections; codes and features are streamed after them.
class SegmentPlan {
 public:
  SegmentPlan(const RowSource& source, const Model& model) : source_(source), model_(model) {
    for (std::size_t row = 0; row < source.rows(); ++row) labels_.add_row(source.labels(row));
    const auto primary = [&](std::uint32_t row) {
      return labels_.row(row).empty() ? classes() : std::size_t{labels_.row(row).front()};
    };
    order_.resize(source.rows());
    std::iota(order_.begin(), order_.end(), std::uint32_t{0});
    const auto list = [&](std::uint32_t row) { return model.lists() == nullptr ? 0 : source.list(row); };
    std::vector<std::tuple<std::size_t, std::uint32_t, ItemId>> keys;
    for (std::uint32_t row = 0; row < source.rows(); ++row) {
      keys.emplace_back(primary(row), list(row), source.id(row));
    }
    std::sort(order_.begin(), order_.end(),
              [&](std::uint32_t a, std::uint32_t b) { return keys[a] < keys[b]; });
    std::vector<std::uint32_t> starts(classes() + 2);
    for (const auto row : order_) ++starts[primary(row) + 1];
    std::partial_sum(starts.begin(), starts.end(), starts.begin());
    add_ids();
    add({kClassStarts, 0}, starts);
    if (model.lists() != nullptr) add_cells(keys);
    add_other_labels();
    add_columns();
  }

  const std::vector<std::uint32_t>& order() const { return order_; }
  std::size_t rows() const { return order_.size(); }

  std::vector<SmallSection> take_sections() {
    SegmentMeta meta;
    meta.rows = rows();
    meta.dimension = model_.dimension();
    meta.classes = classes();
    meta.model = model_.fingerprint();
    if (model_.encoder() != nullptr) meta.layout = model_.encoder()->layout();
    meta.stored_features = model_.stored_features();
    meta.has_lists = model_.lists() != nullptr;
    meta.columns = columns_;
    sections_.insert(sections_.begin(), SmallSection{{kMeta, 0}, meta.to_bytes()});
    return std::move(sections_);
  }

 private:
  std::size_t classes() const { return model_.labels().size(); }

  template <class Element>
  void add(io::SectionKey key, const std::vector<Element>& values) {
    const auto bytes = std::as_bytes(std::span(values));
    sections_.push_back({key, {bytes.begin(), bytes.end()}});
  }

  void add_cells(const std::vector<std::tuple<std::size_t, std::uint32_t, ItemId>>& keys) {
    std::vector<std::uint32_t> cells;
    for (std::uint32_t place = 0; place < rows(); ++place) {
      const auto& [label, list, id] = keys[order_[place]];
      if (place != 0) {
        const auto& [label_before, list_before, id_before] = keys[order_[place - 1]];
        if (label == label_before && list == list_before) continue;
      }
      cells.push_back(list);
      cells.push_back(place);
    }
    add({kCells, 0}, cells);
  }

  void add_ids() {
    std::vector<ItemId> ids;
    for (const auto row : order_) ids.push_back(source_.id(row));
    std::vector<std::uint32_t> by_id(rows());
    std::iota(by_id.begin(), by_id.end(), std::uint32_t{0});
    std::sort(by_id.begin(), by_id.end(), [&](std::uint32_t a, std::uint32_t b) { return ids[a] < ids[b]; });
    add({kIds, 0}, ids);
    add({kIdOrder, 0}, by_id);
  }

  void add_other_labels() {
    if (!labels_.has_several()) return;
    std::vector<std::uint32_t> starts = {0};
    std::vector<std::uint32_t> others;
    std::vector<std::vector<std::uint32_t>> members(classes());
    for (std::uint32_t place = 0; place < rows(); ++place) {
      const auto labels = labels_.row(order_[place]);
      for (std::size_t i = 1; i < labels.size(); ++i) {
        others.push_back(labels[i]);
        members[labels[i]].push_back(place);
      }
      starts.push_back(static_cast<std::uint32_t>(others.size()));
    }
    std::vector<std::uint32_t> member_starts = {0};
    std::vector<std::uint32_t> member_rows;
    for (const auto& rows : members) {
      member_rows.insert(member_rows.end(), rows.begin(), rows.end());
      member_starts.push_back(static_cast<std::uint32_t>(member_rows.size()));
    }
    add({kOtherLabelStarts, 0}, starts);
    add({kOtherLabels, 0}, others);
    add({kMemberStarts, 0}, member_starts);
    add({kMemberRows, 0}, member_rows);
  }

  void add_columns() {
    for (std::size_t c = 0; c < source_.columns().size(); ++c) {
      const auto& column = source_.columns()[c];
      const auto number = static_cast<std::uint32_t>(columns_.size());
      const bool kept = column.type == ColumnType::text     ? add_text(c, number)
                        : column.type == ColumnType::number ? add_numbers(c, number)
                                                            : add_days(c, number);
      if (kept) columns_.push_back(column);
    }
  }

  bool add_text(std::size_t column, std::uint32_t number) {
    std::vector<std::string_view> values;
    for (const auto row : order_) values.push_back(source_.text(column, row));
    if (std::all_of(values.begin(), values.end(), [](auto value) { return value.empty(); })) return false;
    std::vector<std::string_view> entries = values;
    std::sort(entries.begin(), entries.end());
    entries.erase(std::unique(entries.begin(), entries.end()), entries.end());
    std::vector<std::uint64_t> starts = {0};
    std::vector<char> bytes;
    for (const auto entry : entries) {
      bytes.insert(bytes.end(), entry.begin(), entry.end());
      starts.push_back(bytes.size());
    }
    std::vector<std::uint32_t> codes;
    std::vector<std::uint32_t> row_starts(entries.size() + 1);
    for (const auto value : values) {
      const auto entry = std::lower_bound(entries.begin(), entries.end(), value) - entries.begin();
      codes.push_back(static_cast<std::uint32_t>(entry));
      ++row_starts[static_cast<std::size_t>(entry) + 1];
    }
    std::partial_sum(row_starts.begin(), row_starts.end(), row_starts.begin());
    std::vector<std::uint32_t> rows_by_entry(rows());
    auto next = row_starts;
    for (std::uint32_t place = 0; place < rows(); ++place) rows_by_entry[next[codes[place]]++] = place;
    add({kTextStarts, number}, starts);
    add({kTextBytes, number}, bytes);
    add({kTextCodes, number}, codes);
    add({kTextRowStarts, number}, row_starts);
    add({kTextRows, number}, rows_by_entry);
    return true;
  }

  bool add_numbers(std::size_t column, std::uint32_t number) {
    std::vector<double> values;
    for (const auto row : order_) values.push_back(source_.number(column, row));
    if (std::all_of(values.begin(), values.end(), [](double value) { return std::isnan(value); }))
      return false;
    add({kNumbers, number}, values);
    return true;
  }

  bool add_days(std::size_t column, std::uint32_t number) {
    std::vector<std::int32_t> values;
    for (const auto row : order_) values.push_back(source_.days(column, row));
    if (std::all_of(values.begin(), values.end(), [](auto value) { return value == kNoDate; })) return false;
    add({kDays, number}, values);
    return true;
  }

  const RowSource& source_;
  const Model& model_;
  LabelSets labels_;
  std::vector<std::uint32_t> order_;
  std::vector<Column> columns_;
  std::vector<SmallSection> sections_;
};

void write_codes(const RowSource& source, const std::vector<std::uint32_t>& order, const CodeLayout& layout,
                 io::SectionWriter& writer) {
  std::vector<std::uint8_t> packed(layout.row_bytes());
  writer.begin_section({kCodes, 0});
  for (std::size_t begin = 0; begin < order.size(); begin += CodeLayout::kBlockRows) {
    Codes block(layout, std::min(CodeLayout::kBlockRows, order.size() - begin));
    for (std::size_t r = 0; r < block.rows(); ++r) {
      source.code(order[begin + r], packed.data());
      block.set_row(r, packed.data());
    }
    writer.append_array(std::span<const std::uint8_t>(block.view().blocks(), block.view().size_bytes()));
  }
  writer.end_section();
}

void write_features(const RowSource& source, const std::vector<std::uint32_t>& order,
                    io::SectionWriter& writer, const Progress& progress) {
  constexpr std::size_t kReportEvery = 4096;
  detail::ProgressCounter counter(progress, "write segment", order.size());
  writer.begin_section({kFeatures, 0});
  for (std::size_t i = 0; i < order.size(); ++i) {
    writer.append(source.features(order[i]));
    if ((i + 1) % kReportEvery == 0) counter.add(kReportEvery);
  }
  counter.add(order.size() % kReportEvery);
  writer.end_section();
}

}  // namespace

Fingerprint write_segment(const RowSource& source, const Model& model, io::ByteSink& sink,
                          const Progress& progress) {
  SegmentPlan plan(source, model);
  const auto sections = plan.take_sections();
  const bool has_codes = model.encoder() != nullptr;
  io::SectionWriter writer(sink, sections.size() + (has_codes ? 2 : 1));
  for (const auto& section : sections) {
    writer.begin_section(section.key);
    writer.append(section.bytes);
    writer.end_section();
  }
  if (has_codes) write_codes(source, plan.order(), model.encoder()->layout(), writer);
  write_features(source, plan.order(), writer, progress);
  return writer.finish();
}

}  // namespace medretrieval::gallery
