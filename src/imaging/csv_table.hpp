// A published CSV table: a header line, and rows whose fields are found by the name of their column.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "imaging/csv_records.hpp"

namespace medretrieval::imaging {

/// One pass over a table. Every Error names the file, and the line where there is one.
class CsvTable {
 public:
  /// Opens the file and reads its header line.
  /// \throws Error as CsvFile, and corrupt for a file without a header line.
  explicit CsvTable(std::filesystem::path file);
  /// The same of the text of a file that was read before.
  CsvTable(std::filesystem::path file, std::string text);

  /// \throws Error not_found (the message lists the columns that are there), corrupt for a column that is
  ///        there twice.
  std::size_t column(std::string_view name) const;
  std::optional<std::size_t> find_column(std::string_view name) const;

  /// Moves to the next row; false behind the last.
  /// \throws Error as CsvFile::next, and corrupt for a row whose number of fields is not the header's. Columns
  ///        without a name at the end of the header may be missing in a row.
  bool next();

  const std::filesystem::path& file() const noexcept { return file_; }
  std::size_t line() const noexcept { return row_.line; }
  const std::string& text(std::size_t column) const { return row_.fields[column]; }
  /// \throws Error (corrupt) unless the field is a finite number within the range.
  double number(std::size_t column, double minimum, double maximum) const;
  /// \throws Error (corrupt) unless the field is a whole number within the range.
  std::int64_t whole_number(std::size_t column, std::int64_t minimum, std::int64_t maximum) const;
  /// `count` finite numbers with commas, and perhaps blanks, between them.
  /// \throws Error (corrupt) for anything else.
  std::vector<double> numbers(std::size_t column, std::size_t count) const;
  /// Throws Error (corrupt): file, line, column, what was expected and what came.
  [[noreturn]] void refuse(std::size_t column, std::string_view expected) const;

 private:
  void read_header();

  std::filesystem::path file_;
  std::unique_ptr<CsvFile> records_;
  std::vector<std::string> names_;
  std::size_t fewest_fields_ = 0;
  CsvRecord row_;
};

/// Rows of a table without its header, for progress: lines, whichever line end they have.
std::size_t count_rows(const std::filesystem::path& file);

/// A number that is all of `text`, finite.
std::optional<double> parse_number(std::string_view text);

}  // namespace medretrieval::imaging
