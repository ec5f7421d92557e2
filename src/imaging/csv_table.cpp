#include "imaging/csv_table.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>

#include "base/concat.hpp"
#include "imaging/file_bytes.hpp"

namespace medretrieval::imaging {

using detail::concat;
using detail::fail;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMaxShownBytes = 80;

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text.substr(0, 20 * kMaxShownBytes);
}

std::string_view without_blanks(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

std::optional<double> parse_number(std::string_view text) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end || !std::isfinite(value)) return std::nullopt;
  return value;
}

CsvTable::CsvTable(fs::path file)
    : file_(std::move(file)), records_(naming_file(file_, [&] { return std::make_unique<CsvFile>(file_); })) {
  read_header();
}

CsvTable::CsvTable(fs::path file, std::string text)
    : file_(std::move(file)), records_(CsvFile::of_text(std::move(text))) {
  read_header();
}

void CsvTable::read_header() {
  naming_file(file_, [&] {
    auto header = records_->next();
    if (!header) fail(ErrorCode::corrupt, "no header line");
    names_ = std::move(header->fields);
  });
  fewest_fields_ = names_.size();
  while (fewest_fields_ > 0 && names_[fewest_fields_ - 1].empty()) --fewest_fields_;
}

std::optional<std::size_t> CsvTable::find_column(std::string_view name) const {
  const auto found = std::find(names_.begin(), names_.end(), name);
  if (found == names_.end()) return std::nullopt;
  if (std::find(found + 1, names_.end(), name) != names_.end()) {
    fail(ErrorCode::corrupt, file_.string(), ": the column \"", name, "\" is there twice");
  }
  return static_cast<std::size_t>(found - names_.begin());
}

std::size_t CsvTable::column(std::string_view name) const {
  const auto found = find_column(name);
  if (!found) {
    fail(ErrorCode::not_found, file_.string(), ": no column \"", name, "\"; the columns are ",
         joined(names_));
  }
  return *found;
}

bool CsvTable::next() {
  auto record = naming_file(file_, [&] { return records_->next(); });
  if (!record) return false;
  row_ = std::move(*record);
  if (row_.fields.size() < fewest_fields_ || row_.fields.size() > names_.size()) {
    fail(ErrorCode::corrupt, file_.string(), " line ", row_.line, ": expected ", fewest_fields_,
         " fields as in the header, got ", row_.fields.size());
  }
  row_.fields.resize(names_.size());
  return true;
}

double CsvTable::number(std::size_t column, double minimum, double maximum) const {
  const auto value = parse_number(text(column));
  if (!value || *value < minimum || *value > maximum) {
    refuse(column, concat("a number from ", minimum, " to ", maximum));
  }
  return *value;
}

std::int64_t CsvTable::whole_number(std::size_t column, std::int64_t minimum, std::int64_t maximum) const {
  std::int64_t value = 0;
  const std::string& field = text(column);
  const char* const end = field.data() + field.size();
  const auto parsed = std::from_chars(field.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end || value < minimum || value > maximum) {
    refuse(column, concat("a whole number from ", minimum, " to ", maximum));
  }
  return value;
}

std::vector<double> CsvTable::numbers(std::size_t column, std::size_t count) const {
  std::vector<double> values;
  std::string_view rest = text(column);
  while (values.size() < count) {
    const std::size_t comma = values.size() + 1 < count ? rest.find(',') : rest.size();
    if (comma == std::string_view::npos) break;
    const auto value = parse_number(without_blanks(rest.substr(0, comma)));
    if (!value) break;
    values.push_back(*value);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  if (values.size() != count) refuse(column, concat(count, " numbers with commas between them"));
  return values;
}

void CsvTable::refuse(std::size_t column, std::string_view expected) const {
  fail(ErrorCode::corrupt, file_.string(), " line ", line(), ": expected ", expected, " in column \"",
       names_[column], "\", got \"", text(column).substr(0, kMaxShownBytes), "\"");
}

std::size_t count_rows(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::vector<char> block(1 << 16);
  std::ptrdiff_t feeds = 0;
  std::ptrdiff_t returns = 0;
  char last = '\n';
  while (stream.read(block.data(), static_cast<std::streamsize>(block.size())) || stream.gcount() > 0) {
    const auto end = block.begin() + stream.gcount();
    feeds += std::count(block.begin(), end, '\n');
    returns += std::count(block.begin(), end, '\r');
    last = *(end - 1);
  }
  const bool is_open = last != '\n' && last != '\r';
  const std::ptrdiff_t lines = (feeds > 0 ? feeds : returns) + (is_open ? 1 : 0);
  return static_cast<std::size_t>(std::max<std::ptrdiff_t>(lines - 1, 0));
}

}  // namespace medretrieval::imaging
