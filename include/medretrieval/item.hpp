/// \file
/// What a gallery knows of one image besides its features.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <medretrieval/error.hpp>
#include <medretrieval/item_id.hpp>

namespace medretrieval {

/// A calendar day of the Gregorian calendar.
struct Date {
  int year = 0;   ///< 1 to 9999
  int month = 0;  ///< 1 to 12
  int day = 0;    ///< 1 to 31, as the month allows

  auto operator<=>(const Date&) const = default;
  /// "2024-03-09".
  std::string to_string() const;
  /// From "2024-03-09" or DICOM's "20240309".
  /// \throws Error (invalid_argument) for another form or a day that does not exist.
  static Date parse(std::string_view text);
  /// Days since 1970-01-01, and back.
  std::int32_t to_days() const noexcept;
  static Date from_days(std::int32_t days) noexcept;
};

/// A value of a named column: a finite number or a text.
using AttributeValue = std::variant<double, std::string>;
/// Further columns by name. Within a gallery a name is always a number or always a text.
using Attributes = std::map<std::string, AttributeValue>;

/// One image of a gallery. Empty text means unknown.
struct Item {
  std::optional<ItemId> id = {};  ///< none: the gallery assigns one
  std::string key = {};  ///< a unique name of the application's, for upsert: SOP instance UID and frame, say
  std::vector<std::string> labels = {};  ///< from the model's vocabulary; the first is the primary class
  std::string patient = {};
  std::string study = {};
  std::string modality = {};
  std::string source = {};  ///< where the image lies, for example a path
  std::optional<Date> date = {};
  Attributes attributes = {};

  bool operator==(const Item&) const = default;
};

/// The longest text of an item, in bytes.
inline constexpr std::size_t kMaxItemText = 65535;
/// The longest name of an attribute, in bytes.
inline constexpr std::size_t kMaxAttributeName = 128;
/// The most attributes of a gallery.
inline constexpr std::size_t kMaxAttributes = 512;

/// The type of a column.
enum class ColumnType : std::uint8_t { text = 1, number = 2, date = 3 };

}  // namespace medretrieval
