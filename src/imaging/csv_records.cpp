#include "imaging/csv_records.hpp"

#include <csv.h>

#include <algorithm>
#include <exception>
#include <medretrieval/error.hpp>
#include <new>

#include "base/concat.hpp"

namespace medretrieval::imaging {

using detail::fail;

namespace {

/// libcsv's parser with the records it has found. libcsv is C: no exception may pass through it, so one that
/// is thrown while a field is stored waits until libcsv has returned.
class RecordParser {
 public:
  RecordParser() {
    if (csv_init(&parser_, CSV_STRICT | CSV_STRICT_FINI) != 0) throw std::bad_alloc();
    csv_set_space_func(&parser_, [](unsigned char) { return 0; });  // blanks belong to the field
  }
  ~RecordParser() { csv_free(&parser_); }
  RecordParser(const RecordParser&) = delete;
  RecordParser& operator=(const RecordParser&) = delete;

  /// One physical line with its line end. A record goes on in the next line where a line end is quoted.
  void parse_line(std::string_view line) {
    ++line_;
    if (!inside_record_) record_line_ = line_;
    const std::size_t before = records_.size();
    const std::size_t used = csv_parse(&parser_, line.data(), line.size(), take_field, take_record, this);
    if (failure_) std::rethrow_exception(failure_);
    if (used != line.size()) refuse(line_);
    const bool is_blank = line.find_first_not_of("\r\n") == std::string_view::npos;
    inside_record_ = records_.size() == before && (inside_record_ || !is_blank);
  }

  std::vector<CsvRecord> finish() {
    const int result = csv_fini(&parser_, take_field, take_record, this);
    if (failure_) std::rethrow_exception(failure_);
    if (result != 0) refuse(record_line_);
    return std::move(records_);
  }

 private:
  [[noreturn]] static void refuse(std::size_t line) {
    fail(ErrorCode::corrupt, "CSV line ", line,
         ": a quote that is not closed, not doubled, or not at the edge of its field");
  }

  static void take_field(void* text, std::size_t size, void* self) {
    static_cast<RecordParser*>(self)->guarded(
        [&](RecordParser& parser) { parser.fields_.emplace_back(static_cast<const char*>(text), size); });
  }
  static void take_record(int, void* self) {
    static_cast<RecordParser*>(self)->guarded([](RecordParser& parser) {
      parser.records_.push_back({parser.record_line_, std::move(parser.fields_)});
      parser.fields_.clear();
    });
  }
  template <class Action>
  void guarded(const Action& action) {
    try {
      if (!failure_) action(*this);
    } catch (...) {
      failure_ = std::current_exception();
    }
  }

  csv_parser parser_ = {};
  std::size_t line_ = 0;
  std::size_t record_line_ = 1;
  bool inside_record_ = false;
  std::vector<std::string> fields_;
  std::vector<CsvRecord> records_;
  std::exception_ptr failure_;
};

}  // namespace

std::vector<CsvRecord> read_csv_records(std::string_view text) {
  RecordParser parser;
  while (!text.empty()) {
    const std::size_t size = std::min(text.find('\n'), text.size() - 1) + 1;
    parser.parse_line(text.substr(0, size));
    text.remove_prefix(size);
  }
  return parser.finish();
}

}  // namespace medretrieval::imaging
