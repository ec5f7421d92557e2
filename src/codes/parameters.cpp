#include <medretrieval/parameters.hpp>

#include <algorithm>
#include <charconv>

#include "base/concat.hpp"

namespace medretrieval {

using detail::fail;

namespace {

constexpr const char* kTypeNames[] = {"a whole number", "a number", "true or false", "a text"};

const OptionSpec& find_option(std::string_view name, std::span<const OptionSpec> schema,
                              std::string_view owner) {
  const auto found =
      std::find_if(schema.begin(), schema.end(), [&](const OptionSpec& o) { return o.name == name; });
  if (found != schema.end()) return *found;
  std::string known;
  for (const auto& option : schema) known += (known.empty() ? "" : ", ") + option.name;
  fail(ErrorCode::invalid_argument, owner, " has no option '", name, "'; it has",
       known.empty() ? " none" : ": " + known);
}

void check_range(double value, const OptionSpec& option, std::string_view owner) {
  if (value >= option.minimum && value <= option.maximum) return;  // false for NaN
  fail(ErrorCode::invalid_argument, owner, ": option '", option.name, "' must be ", option.minimum, " to ",
       option.maximum, ", got ", value);
}

/// `value` as the type of the option's default.
ParameterValue converted(const ParameterValue& value, const OptionSpec& option, std::string_view owner) {
  ParameterValue result = value;
  if (std::holds_alternative<double>(option.default_value) && std::holds_alternative<std::int64_t>(value)) {
    result = static_cast<double>(std::get<std::int64_t>(value));
  }
  if (result.index() != option.default_value.index()) {
    fail(ErrorCode::invalid_argument, owner, ": option '", option.name, "' must be ",
         kTypeNames[option.default_value.index()], ", got '", to_string(value), "'");
  }
  if (const auto* whole = std::get_if<std::int64_t>(&result))
    check_range(static_cast<double>(*whole), option, owner);
  if (const auto* real = std::get_if<double>(&result)) check_range(*real, option, owner);
  return result;
}

}  // namespace

Parameters complete_parameters(const Parameters& given, std::span<const OptionSpec> schema,
                               std::string_view owner) {
  Parameters complete;
  for (const auto& option : schema) complete[option.name] = option.default_value;
  for (const auto& [name, value] : given)
    complete[name] = converted(value, find_option(name, schema, owner), owner);
  return complete;
}

std::pair<std::string, ParameterValue> parse_parameter(std::string_view text,
                                                       std::span<const OptionSpec> schema,
                                                       std::string_view owner) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) {
    fail(ErrorCode::invalid_argument, owner, ": expected name=value, got '", text, "'");
  }
  const std::string name(text.substr(0, equals));
  const std::string_view value = text.substr(equals + 1);
  const OptionSpec& option = find_option(name, schema, owner);
  const char* const last = value.data() + value.size();
  const auto whole_text = [&](std::from_chars_result parsed) {
    return parsed.ec == std::errc() && parsed.ptr == last;
  };
  if (std::int64_t number = 0; std::holds_alternative<std::int64_t>(option.default_value) &&
                               whole_text(std::from_chars(value.data(), last, number))) {
    return {name, number};
  }
  if (double number = 0; std::holds_alternative<double>(option.default_value) &&
                         whole_text(std::from_chars(value.data(), last, number))) {
    return {name, number};
  }
  if (std::holds_alternative<bool>(option.default_value) && (value == "true" || value == "false")) {
    return {name, value == "true"};
  }
  if (std::holds_alternative<std::string>(option.default_value)) return {name, std::string(value)};
  fail(ErrorCode::invalid_argument, owner, ": option '", name, "' must be ",
       kTypeNames[option.default_value.index()], ", got '", value, "'");
}

std::string to_string(const ParameterValue& value) {
  if (const auto* truth = std::get_if<bool>(&value)) return *truth ? "true" : "false";
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return std::to_string(*whole);
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, std::get<double>(value));
  return {buffer, end.ptr};
}

}  // namespace medretrieval
