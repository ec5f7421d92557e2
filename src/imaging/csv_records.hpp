// CSV text to records, with the line each of them begins at, and fields back to CSV.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace medretrieval::imaging {

struct CsvRecord {
  std::size_t line = 0;  ///< of its first character, from 1
  std::vector<std::string> fields;
};

/// The longest record that CsvFile reads, in bytes.
inline constexpr std::size_t kMaxCsvRecordBytes = std::size_t{1} << 20;

/// RFC 4180 with either line end, fields exactly as written; empty lines are skipped.
/// \throws Error (corrupt) with the line: a quote inside an unquoted field, text behind a closing quote, an
///        unclosed quote.
std::vector<CsvRecord> read_csv_records(std::string_view text);

/// The same record by record from a file, in memory that does not grow with the file. Line ends may be a
/// carriage return alone too; a byte-order mark is skipped.
class CsvFile {
 public:
  /// \throws Error not_found, io, limit_exceeded (more than kMaxManifestBytes).
  explicit CsvFile(const std::filesystem::path& file);
  /// The same of a text in memory.
  static std::unique_ptr<CsvFile> of_text(std::string text);
  ~CsvFile();
  CsvFile(const CsvFile&) = delete;
  CsvFile& operator=(const CsvFile&) = delete;

  /// The next record, none at the end.
  /// \throws Error corrupt as read_csv_records and for what is not UTF-8, limit_exceeded
  ///        (kMaxCsvRecordBytes), io.
  std::optional<CsvRecord> next();

 private:
  struct Impl;
  explicit CsvFile(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// A field of RFC 4180: quoted where it must be.
std::string csv_field(std::string_view text);

}  // namespace medretrieval::imaging
