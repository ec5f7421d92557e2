#include "imaging/csv_records.hpp"

#include <csv.h>

#include <algorithm>
#include <deque>
#include <exception>
#include <fstream>
#include <medretrieval/error.hpp>
#include <medretrieval/imaging/manifest.hpp>
#include <new>
#include <sstream>

#include "base/concat.hpp"
#include "base/utf8.hpp"
#include "imaging/file_bytes.hpp"

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

  void finish() {
    const int result = csv_fini(&parser_, take_field, take_record, this);
    if (failure_) std::rethrow_exception(failure_);
    if (result != 0) refuse(record_line_);
  }

  /// What was found so far and not yet taken away.
  std::deque<CsvRecord>& records() { return records_; }
  bool inside_record() const { return inside_record_; }
  std::size_t record_line() const { return record_line_; }

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
  std::deque<CsvRecord> records_;
  std::exception_ptr failure_;
};

std::uintmax_t size_of(const std::filesystem::path& file) {
  read_head(file, 0);  // refuses what is no regular file
  return std::filesystem::file_size(file);
}

}  // namespace

std::vector<CsvRecord> read_csv_records(std::string_view text) {
  RecordParser parser;
  while (!text.empty()) {
    const std::size_t size = std::min(text.find('\n'), text.size() - 1) + 1;
    parser.parse_line(text.substr(0, size));
    text.remove_prefix(size);
  }
  parser.finish();
  return {std::move_iterator(parser.records().begin()), std::move_iterator(parser.records().end())};
}

struct CsvFile::Impl {
  RecordParser parser;
  std::unique_ptr<std::istream> stream;
  std::string line;
  std::size_t record_bytes = 0;
  bool at_end = false;

  /// The next line with its end, empty behind the last.
  void read_line() {
    line.clear();
    std::streambuf& bytes = *stream->rdbuf();
    for (int c = bytes.sbumpc(); c != std::char_traits<char>::eof(); c = bytes.sbumpc()) {
      line += static_cast<char>(c);
      if (++record_bytes > kMaxCsvRecordBytes) {
        fail(ErrorCode::limit_exceeded, "CSV: the record behind line ", parser.record_line(),
             " has more than ", kMaxCsvRecordBytes, " bytes");
      }
      if (c == '\n' || (c == '\r' && bytes.sgetc() != '\n')) break;
    }
  }

  void parse_more() {
    read_line();
    if (!line.empty()) {
      parser.parse_line(line);
    } else {
      at_end = true;
      parser.finish();
    }
    if (!parser.inside_record()) record_bytes = 0;
  }

  void skip_byte_order_mark() {
    char mark[3] = {};
    stream->read(mark, 3);
    if (std::string_view(mark, 3) == "\xEF\xBB\xBF") return;
    stream->clear();
    stream->seekg(0);
  }
};

CsvFile::CsvFile(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

CsvFile::CsvFile(const std::filesystem::path& file) : impl_(std::make_unique<Impl>()) {
  if (const auto size = size_of(file); size > kMaxManifestBytes) {
    fail(ErrorCode::limit_exceeded, "has ", size, " bytes; at most ", kMaxManifestBytes, " are read");
  }
  impl_->stream = std::make_unique<std::ifstream>(file, std::ios::binary);
  if (!*impl_->stream) fail(ErrorCode::io, "cannot be opened for reading");
  impl_->skip_byte_order_mark();
}

std::unique_ptr<CsvFile> CsvFile::of_text(std::string text) {
  auto impl = std::make_unique<Impl>();
  impl->stream = std::make_unique<std::istringstream>(std::move(text));
  impl->skip_byte_order_mark();
  return std::unique_ptr<CsvFile>(new CsvFile(std::move(impl)));
}

CsvFile::~CsvFile() = default;

std::optional<CsvRecord> CsvFile::next() {
  auto& records = impl_->parser.records();
  while (records.empty() && !impl_->at_end) impl_->parse_more();
  if (records.empty()) return std::nullopt;
  CsvRecord record = std::move(records.front());
  records.pop_front();
  for (const std::string& field : record.fields) {
    if (!detail::is_utf8(field)) fail(ErrorCode::corrupt, "line ", record.line, ": not UTF-8 text");
  }
  return record;
}

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace medretrieval::imaging
