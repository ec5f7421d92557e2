/// \file
/// Named options of encoders, checked against a schema: one form for C++, Python, the command line and files.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <medretrieval/error.hpp>

namespace medretrieval {

/// A whole number, a real number, a truth value or a text.
using ParameterValue = std::variant<std::int64_t, double, bool, std::string>;
/// Options by name.
using Parameters = std::map<std::string, ParameterValue>;

/// One option that an encoder type understands.
struct OptionSpec {
  std::string name;
  ParameterValue default_value;  ///< its alternative is the option's type
  double minimum = 0;            ///< of numbers
  double maximum = 0;            ///< of numbers
  std::string description;
};

/// `given` completed with defaults. Whole numbers are accepted for real ones.
/// \param owner names the schema's owner in messages, for example "encoder 'itq'"
/// \throws Error (invalid_argument) for an unknown name (the message lists the known ones), a wrong type or a
///        value outside its range.
Parameters complete_parameters(const Parameters& given, std::span<const OptionSpec> schema,
                               std::string_view owner);

/// "name=value" to a parameter of the type that the schema wants, for command lines.
/// \throws Error (invalid_argument) for an unknown name or a value that does not parse.
std::pair<std::string, ParameterValue> parse_parameter(std::string_view text,
                                                       std::span<const OptionSpec> schema,
                                                       std::string_view owner);

/// The value as it would be written on a command line.
std::string to_string(const ParameterValue& value);

}  // namespace medretrieval
