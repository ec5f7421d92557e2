#include "imaging/import_manifest.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "base/concat.hpp"
#include "base/utf8.hpp"
#include "imaging/csv_records.hpp"
#include "imaging/file_bytes.hpp"

namespace medretrieval::imaging {

using detail::fail;
namespace fs = std::filesystem;

namespace {

std::string joined(const std::vector<std::string>& labels) {
  std::string text;
  for (const std::string& label : labels) text.append(text.empty() ? "" : "|").append(label);
  return text;
}

std::string shown(const DatasetRecord& record) {
  return record.key.substr(0, 80);
}

void check_text(const DatasetRecord& record, std::string_view name, const std::string& text) {
  if (text.size() <= kMaxItemText && detail::is_utf8(text)) return;
  fail(ErrorCode::invalid_argument, "record ", shown(record), ": ", name, " of ", text.size(),
       " bytes, expected UTF-8 text of at most ", kMaxItemText);
}

}  // namespace

void check_record(const DatasetRecord& record, const DatasetType& type) {
  if (record.key.empty()) fail(ErrorCode::invalid_argument, "a record of '", type.name, "' without a key");
  check_text(record, "patient", record.patient);
  check_text(record, "study", record.study);
  check_text(record, "series", record.series);
  check_text(record, "modality", record.modality);
  for (const std::string& label : record.labels) {
    check_text(record, "label", label);
    if (label.empty() || label.find('|') != std::string::npos) {
      fail(ErrorCode::invalid_argument, "record ", shown(record), ": expected a label without '|', got \"",
           label, "\"");
    }
  }
  for (const auto& [name, value] : record.attributes) {
    check_text(record, name, value);
    if (std::find(type.attributes.begin(), type.attributes.end(), name) == type.attributes.end()) {
      fail(ErrorCode::invalid_argument, "record ", shown(record), ": data set '", type.name,
           "' does not name the attribute '", name, "'");
    }
  }
}

ManifestWriter::ManifestWriter(fs::path file, const std::vector<std::string>& attributes)
    : file_(std::move(file)), unfinished_(file_), attributes_(attributes) {
  unfinished_ += ".unfinished";
  errno = 0;
  stream_.open(unfinished_, std::ios::binary | std::ios::trunc);
  std::string line;
  for (const std::string_view name : kManifestColumns) line.append(line.empty() ? "" : ",").append(name);
  for (const std::string& name : attributes_) line.append(",").append(csv_field(name));
  write_line(line);
}

ManifestWriter::~ManifestWriter() {
  stream_.close();
  std::error_code ignored;
  fs::remove(unfinished_, ignored);
}

void ManifestWriter::add(const std::string& path, std::string_view split, const DatasetRecord& record) {
  std::string line = csv_field(path);
  const auto append = [&](std::string_view field) { line.append(",").append(csv_field(field)); };
  append(record.patient);
  append(joined(record.labels));
  append(split);
  append(record.study);
  append(record.series);
  append(record.modality);
  append(record.date ? record.date->to_string() : "");
  for (const std::string& name : attributes_) {
    const auto found = record.attributes.find(name);
    append(found == record.attributes.end() ? "" : found->second);
  }
  write_line(line);
}

// A full disk is noticed with the row that does not fit, not hours later.
void ManifestWriter::write_line(const std::string& line) {
  errno = 0;
  stream_ << line << "\r\n";
  if (!stream_) fail_with_errno(unfinished_, "write");
}

void ManifestWriter::finish() {
  errno = 0;
  stream_.close();
  if (!stream_) fail_with_errno(unfinished_, "write");
  sync(unfinished_);
  std::error_code error;
  fs::rename(unfinished_, file_, error);
  if (error) fail(ErrorCode::io, "cannot write ", file_.string(), ": ", error.message());
  sync(file_.parent_path());
}

}  // namespace medretrieval::imaging
