#include <medretrieval/item.hpp>

#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>

#include "base/concat.hpp"

namespace medretrieval {

namespace {

bool parse_digits(std::string_view text, std::size_t first, std::size_t count, int& value) {
  const char* begin = text.data() + first;
  const auto parsed = std::from_chars(begin, begin + count, value);
  return parsed.ec == std::errc() && parsed.ptr == begin + count && *begin != '-';
}

}  // namespace

std::string Date::to_string() const {
  std::array<char, 40> buffer;
  std::snprintf(buffer.data(), buffer.size(), "%04d-%02d-%02d", year, month, day);
  return buffer.data();
}

Date Date::parse(std::string_view text) {
  Date date;
  const bool dashed = text.size() == 10 && text[4] == '-' && text[7] == '-';
  const bool parsed = (dashed || text.size() == 8) && parse_digits(text, 0, 4, date.year) &&
                      parse_digits(text, dashed ? 5 : 4, 2, date.month) &&
                      parse_digits(text, dashed ? 8 : 6, 2, date.day);
  const std::chrono::year_month_day day{std::chrono::year(date.year),
                                        std::chrono::month(static_cast<unsigned>(date.month)),
                                        std::chrono::day(static_cast<unsigned>(date.day))};
  if (!parsed || date.year < 1 || !day.ok()) {
    detail::fail(ErrorCode::invalid_argument, "a date is YYYY-MM-DD or YYYYMMDD, got '", text, "'");
  }
  return date;
}

std::int32_t Date::to_days() const noexcept {
  const std::chrono::year_month_day day_of_year{std::chrono::year(year),
                                                std::chrono::month(static_cast<unsigned>(month)),
                                                std::chrono::day(static_cast<unsigned>(day))};
  return static_cast<std::int32_t>(std::chrono::sys_days(day_of_year).time_since_epoch().count());
}

Date Date::from_days(std::int32_t days) noexcept {
  const std::chrono::year_month_day day{std::chrono::sys_days(std::chrono::days(days))};
  return {static_cast<int>(day.year()), static_cast<int>(static_cast<unsigned>(day.month())),
          static_cast<int>(static_cast<unsigned>(day.day()))};
}

}  // namespace medretrieval
