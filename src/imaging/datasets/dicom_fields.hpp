// What may be taken from the header of a file of unknown origin, checked value by value.
#pragma once

#include <cstdint>
#include <filesystem>
#include <medretrieval/error.hpp>
#include <medretrieval/item.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "imaging/dicom_header.hpp"

namespace medretrieval::imaging::datasets {

/// Reads one header. A value that is not what its attribute may hold becomes blank, and its kind
/// ("unknown_body_part") is kept; the value itself is repeated nowhere.
class DicomFields {
 public:
  explicit DicomFields(const DicomHeader& header) : header_(header) {}

  std::string modality();   ///< else unknown_modality
  std::string body_part();  ///< else unknown_body_part
  /// Laterality, else Image Laterality; else unknown_laterality.
  std::string laterality();
  std::string view();  ///< else unknown_view

  /// Digits and points, at most 64; else impossible_uid.
  std::string uid(const char* keyword);
  /// Without blanks at its ends, blank when the file has none. None when it cannot be an id: other than text,
  /// more than 64 characters, control characters or several values.
  std::optional<std::string> patient_id();
  /// A whole number of at most 9 digits, else impossible_number.
  std::optional<std::int64_t> integer(const char* keyword);
  /// Above 0 and at most 1,000, the first of several; else impossible_number.
  std::optional<double> millimetres(const char* keyword);
  /// All values of a tag as numbers; nothing when they are not `count` numbers.
  std::vector<double> numbers(const char* keyword, std::size_t count);
  /// Of the study; of the series or the acquisition where the file states none before. YYYYMMDD, or YYYY.MM.DD
  /// of ACR-NEMA. A date that is stated but cannot be is none and impossible_date; no other takes its place.
  std::optional<Date> date();
  /// Anything but a plain NO where it is stated.
  bool may_have_burned_in_text();

  /// The kinds of what became blank.
  const std::vector<std::string_view>& refused() const noexcept { return refused_; }

 private:
  /// None: it cannot be read as text.
  std::optional<std::string> text(const char* keyword) const;
  std::string term(const char* keyword, bool (*is_known)(std::string_view) noexcept, std::string_view kind);

  const DicomHeader& header_;
  std::vector<std::string_view> refused_;
};

/// Under which kind a file is left out that could not be read for this reason.
std::string_view kind_of_failure(ErrorCode code) noexcept;

/// True for DICOM. A file that cannot be opened throws.
/// \throws Error io, not_found.
bool is_dicom(const std::filesystem::path& file);

}  // namespace medretrieval::imaging::datasets
