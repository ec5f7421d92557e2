#include "imaging/datasets/dicom_fields.hpp"

#include <algorithm>
#include <charconv>
#include <medretrieval/imaging/load.hpp>

#include "base/utf8.hpp"
#include "imaging/csv_table.hpp"
#include "imaging/datasets/dicom_terms.hpp"

namespace medretrieval::imaging::datasets {

namespace {

constexpr std::size_t kLongestUid = 64;
constexpr std::ptrdiff_t kLongestId = 64;  // characters, of the representation LO
constexpr std::size_t kMostDigits = 9;
constexpr double kMostMillimetres = 1000;

std::string_view without_blanks(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

/// The parts of a text of several values.
std::vector<std::string_view> values_of(std::string_view text) {
  std::vector<std::string_view> values;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('\\', begin), text.size());
    values.push_back(without_blanks(text.substr(begin, end - begin)));
    begin = end + 1;
  }
  return values;
}

bool has_control(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < ' ' || c == 0x7F) return true;
    // U+0080 to U+009F
    if (c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0) return true;
  }
  return false;
}

std::ptrdiff_t characters(std::string_view utf8) {
  return std::count_if(utf8.begin(), utf8.end(),
                       [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
}

std::optional<Date> parse_date(std::string text) {
  if (text.size() == 10 && text[4] == '.' && text[7] == '.') text[4] = text[7] = '-';
  try {
    return Date::parse(text);
  } catch (const Error&) {  // a day that does not exist
    return std::nullopt;
  }
}

}  // namespace

std::optional<std::string> DicomFields::text(const char* keyword) const {
  try {
    return header_.tag(keyword);
  } catch (const Error&) {  // bytes, or in another character set than stated
    return std::nullopt;
  }
}

std::string DicomFields::term(const char* keyword, bool (*is_known)(std::string_view) noexcept,
                              std::string_view kind) {
  const auto value = text(keyword);
  const std::string_view trimmed = value ? without_blanks(*value) : std::string_view();
  if (value && (trimmed.empty() || is_known(trimmed))) return std::string(trimmed);
  refused_.push_back(kind);
  return {};
}

std::string DicomFields::modality() {
  return term("Modality", is_modality, "unknown_modality");
}

std::string DicomFields::body_part() {
  return term("BodyPartExamined", is_body_part, "unknown_body_part");
}

std::string DicomFields::laterality() {
  const std::string of_series = term("Laterality", is_laterality, "unknown_laterality");
  return of_series.empty() ? term("ImageLaterality", is_laterality, "unknown_laterality") : of_series;
}

std::string DicomFields::view() {
  return term("ViewPosition", is_view_position, "unknown_view");
}

std::string DicomFields::uid(const char* keyword) {
  auto value = text(keyword);
  if (value && value->size() <= kLongestUid && value->find_first_not_of("0123456789.") == std::string::npos) {
    return *std::move(value);
  }
  refused_.emplace_back("impossible_uid");
  return {};
}

std::optional<std::string> DicomFields::patient_id() {
  const auto value = text("PatientID");
  if (!value || !detail::is_utf8(*value) || has_control(*value)) return std::nullopt;
  const std::string_view id = without_blanks(*value);
  if (characters(id) > kLongestId || id.find('\\') != std::string_view::npos) return std::nullopt;
  return std::string(id);
}

std::optional<std::int64_t> DicomFields::integer(const char* keyword) {
  const auto value = text(keyword);
  if (value && without_blanks(*value).empty()) return std::nullopt;
  if (value) {
    std::string_view digits = without_blanks(*value);
    const bool is_negative = digits.front() == '-';
    if (is_negative || digits.front() == '+') digits.remove_prefix(1);
    std::int64_t number = 0;
    const char* const end = digits.data() + digits.size();
    const bool is_number = !digits.empty() && digits.size() <= kMostDigits &&
                           digits.find_first_not_of("0123456789") == std::string_view::npos &&
                           std::from_chars(digits.data(), end, number).ptr == end;
    if (is_number) return is_negative ? -number : number;
  }
  refused_.emplace_back("impossible_number");
  return std::nullopt;
}

std::optional<double> DicomFields::millimetres(const char* keyword) {
  const auto value = text(keyword);
  if (value && without_blanks(*value).empty()) return std::nullopt;
  const auto number = value ? parse_number(values_of(*value).front()) : std::nullopt;
  if (number && *number > 0 && *number <= kMostMillimetres) return number;
  refused_.emplace_back("impossible_number");
  return std::nullopt;
}

std::vector<double> DicomFields::numbers(const char* keyword, std::size_t count) {
  std::vector<double> numbers;
  const std::string all = text(keyword).value_or("");
  for (const std::string_view value : values_of(all)) {
    const auto number = parse_number(value);
    if (!number || numbers.size() == count) return {};
    numbers.push_back(*number);
  }
  return numbers.size() == count ? numbers : std::vector<double>();
}

std::optional<Date> DicomFields::date() {
  for (const char* keyword : {"StudyDate", "SeriesDate", "AcquisitionDate"}) {
    const auto value = text(keyword);
    if (value && without_blanks(*value).empty()) continue;
    const auto date = value ? parse_date(std::string(without_blanks(*value))) : std::nullopt;
    if (!date) refused_.emplace_back("impossible_date");
    return date;
  }
  return std::nullopt;
}

bool DicomFields::may_have_burned_in_text() {
  const auto value = text("BurnedInAnnotation");
  if (!value) return true;
  if (without_blanks(*value).empty()) return false;
  const auto values = values_of(*value);
  return !std::all_of(values.begin(), values.end(), [](std::string_view one) {
    return one.size() == 2 && (one[0] == 'N' || one[0] == 'n') && (one[1] == 'O' || one[1] == 'o');
  });
}

std::string_view kind_of_failure(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::unsupported:
      return "unsupported_image";
    case ErrorCode::limit_exceeded:
      return "too_large_image";
    case ErrorCode::io:
    case ErrorCode::not_found:
      return "unreadable_file";
    default:
      return "unreadable_image";
  }
}

bool is_dicom(const std::filesystem::path& file) {
  try {
    return detect_file_kind(file) == FileKind::dicom;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::unsupported) return false;  // of no kind that is read here
    throw;
  }
}

}  // namespace medretrieval::imaging::datasets
