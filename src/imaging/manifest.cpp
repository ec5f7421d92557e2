#include <algorithm>
#include <map>
#include <medretrieval/imaging/manifest.hpp>
#include <optional>
#include <set>
#include <string_view>
#include <unordered_map>

#include "base/concat.hpp"
#include "base/utf8.hpp"
#include "imaging/csv_records.hpp"
#include "imaging/file_bytes.hpp"
#include "imaging/folder_path.hpp"

namespace medretrieval::imaging {

using detail::fail;
namespace fs = std::filesystem;

namespace {

/// Which field of a record means what.
struct Columns {
  std::size_t path = 0;
  std::size_t label = 0;
  std::optional<std::size_t> split;
  std::optional<std::size_t> patient;
  std::vector<std::size_t> other;
};

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

class ColumnFinder {
 public:
  explicit ColumnFinder(const std::vector<std::string>& names) : names_(names) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (!index_.emplace(names[i], i).second) {
        fail(ErrorCode::invalid_argument, "the column \"", names[i], "\" is there twice");
      }
    }
  }

  std::optional<std::size_t> find(const std::string& name) const {
    const auto found = index_.find(name);
    return found == index_.end() ? std::nullopt : std::optional(found->second);
  }
  std::size_t need(const std::string& name, std::string_view option) const {
    const auto found = find(name);
    if (!found) {
      fail(ErrorCode::not_found, "no column \"", name, "\" (", option, " names it); the columns are ",
           joined(names_));
    }
    return *found;
  }
  /// A column that may be missing under its usual name, but not under a name that the caller chose.
  std::optional<std::size_t> find_usual(const std::string& name, const std::string& usual,
                                        std::string_view option) const {
    return name == usual ? find(name) : need(name, option);
  }
  std::size_t label(const std::string& chosen) const {
    if (!chosen.empty()) return need(chosen, "label_column");
    const auto usual = find("labels").has_value() ? find("labels") : find("label");
    if (!usual) {
      fail(ErrorCode::not_found,
           "no column \"labels\" or \"label\"; name another one with label_column; the "
           "columns are ",
           joined(names_));
    }
    return *usual;
  }

 private:
  const std::vector<std::string>& names_;
  std::map<std::string, std::size_t> index_;
};

Columns find_columns(const std::vector<std::string>& names, const ManifestOptions& options) {
  const ManifestOptions usual;
  const ColumnFinder finder(names);
  Columns columns;
  columns.path = finder.need(options.path_column, "path_column");
  columns.label = finder.label(options.label_column);
  columns.split = finder.find_usual(options.split_column, usual.split_column, "split_column");
  columns.patient = finder.find_usual(options.patient_column, usual.patient_column, "patient_column");
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i != columns.path && i != columns.label && i != columns.split && i != columns.patient) {
      columns.other.push_back(i);
    }
  }
  return columns;
}

std::string checked_split(const std::string& split) {
  if (split != "train" && split != "database" && split != "query") {
    fail(ErrorCode::invalid_argument, "the split \"", split, "\", expected train, database or query");
  }
  return split;
}

std::vector<std::string> split_labels(std::string_view text, char separator) {
  std::vector<std::string> labels;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    const std::string label(text.substr(0, end));
    const bool repeated = std::find(labels.begin(), labels.end(), label) != labels.end();
    if (!label.empty() && !repeated) labels.push_back(label);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return labels;
}

ManifestRow read_row(const fs::path& folder, std::vector<std::string>& fields, const Columns& columns,
                     char label_separator) {
  ManifestRow row;
  row.file = path_inside(folder, fields[columns.path]);
  row.path = fields[columns.path];
  if (columns.split) row.split = checked_split(fields[*columns.split]);
  if (columns.patient) row.patient = fields[*columns.patient];
  row.labels = split_labels(fields[columns.label], label_separator);
  for (const std::size_t column : columns.other) row.other.push_back(std::move(fields[column]));
  return row;
}

std::string_view without_byte_order_mark(std::string_view text) {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  if (text.starts_with(kMark)) text.remove_prefix(kMark.size());
  return text;
}

Manifest read(const fs::path& folder, const fs::path& csv, const ManifestOptions& options) {
  const std::vector<std::uint8_t> bytes = read_file(csv, kMaxManifestBytes);
  const auto text = without_byte_order_mark({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  if (!detail::is_utf8(text)) fail(ErrorCode::corrupt, "not UTF-8 text");
  std::vector<CsvRecord> records = read_csv_records(text);
  if (records.empty()) fail(ErrorCode::corrupt, "no header line");
  const std::vector<std::string> names = records.front().fields;
  const Columns columns = find_columns(names, options);
  Manifest manifest;
  manifest.label_column = names[columns.label];
  for (const std::size_t column : columns.other) manifest.other_columns.push_back(names[column]);
  manifest.rows.reserve(records.size() - 1);
  for (CsvRecord& record : std::span(records).subspan(1)) {
    if (record.fields.size() != names.size()) {
      fail(ErrorCode::corrupt, "line ", record.line, " has ", record.fields.size(),
           " fields, the header has ", names.size());
    }
    try {
      manifest.rows.push_back(read_row(folder, record.fields, columns, options.label_separator));
      manifest.rows.back().line = record.line;
    } catch (const Error& error) {
      fail(error.code(), "line ", record.line, ": ", error.what());
    }
  }
  return manifest;
}

}  // namespace

std::vector<std::size_t> Manifest::rows_of(const std::string& split) const {
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].split == split) indices.push_back(i);
  }
  return indices;
}

Manifest read_manifest(const fs::path& folder, const fs::path& csv, const ManifestOptions& options) {
  return naming_file(csv, [&] { return read(folder, csv, options); });
}

ManifestLeak patients_in_two_splits(const Manifest& manifest) {
  struct Seen {
    const ManifestRow* row;
    bool counted = false;
  };
  std::unordered_map<std::string_view, Seen> first;
  ManifestLeak leak;
  for (const ManifestRow& row : manifest.rows) {
    if (row.split.empty() || row.patient.empty()) continue;
    Seen& seen = first.try_emplace(row.patient, Seen{&row}).first->second;
    if (seen.counted || seen.row->split == row.split) continue;
    seen.counted = true;
    if (leak.patients++ == 0) {
      leak.first_line = seen.row->line;
      leak.second_line = row.line;
    }
  }
  return leak;
}

void refuse_leak(const Manifest& manifest) {
  const ManifestLeak leak = patients_in_two_splits(manifest);
  if (leak.patients == 0) return;
  fail(
      ErrorCode::incompatible, leak.patients, leak.patients == 1 ? " patient is" : " patients are",
      " in two splits (lines ", leak.first_line, " and ", leak.second_line,
      " are of one), so that training or answers hold patients who ask; split by patient, or allow the leak");
}

}  // namespace medretrieval::imaging
