// CSV text to records, with the line each of them begins at.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace medretrieval::imaging {

struct CsvRecord {
  std::size_t line = 0;  ///< of its first character, from 1
  std::vector<std::string> fields;
};

/// RFC 4180 with either line end, fields exactly as written; empty lines are skipped.
/// \throws Error (corrupt) with the line: a quote inside an unquoted field, text behind a closing quote, an
///        unclosed quote.
std::vector<CsvRecord> read_csv_records(std::string_view text);

}  // namespace medretrieval::imaging
