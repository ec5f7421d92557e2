// The header of a MetaImage file: lines of "Key = value", of which the last says where the voxels are.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <functional>
#include <initializer_list>
#include <map>
#include <medretrieval/imaging/meta_image.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/concat.hpp"

namespace medretrieval::imaging {

struct MetaImageHeader {
  std::map<std::string, std::string, std::less<>> values;
  std::size_t bytes = 0;  ///< up to and with the newline behind ElementDataFile
};

inline constexpr std::size_t kMaxMetaHeaderBytes = 64 * 1024;
/// How far the axes may be from unit length and right angles.
inline constexpr double kDirectionTolerance = 1e-3;

// Each throws Error (corrupt) for a header that is not as it must be.

/// `text`: at most the first kMaxMetaHeaderBytes bytes of the file.
MetaImageHeader read_meta_header(std::string_view text);

/// The value of the first of these keys that is there.
std::optional<std::string_view> find(const MetaImageHeader& header,
                                     std::initializer_list<std::string_view> keys);
std::string_view need(const MetaImageHeader& header, std::string_view key);

/// `count` numbers with blanks between them, and nothing else.
template <class Number>
std::vector<Number> numbers(std::string_view text, std::string_view key, std::size_t count) {
  std::vector<Number> values;
  const char* at = text.data();
  const char* end = at + text.size();
  while (at != end) {
    Number value{};
    const auto [next, error] = std::from_chars(at, end, value);
    if (error != std::errc()) break;
    values.push_back(value);
    at = std::find_if(next, end, [](char c) { return c != ' ' && c != '\t'; });
  }
  if (at != end || values.size() != count) {
    medretrieval::detail::fail(ErrorCode::corrupt, "MetaImage ", key, " is \"", text.substr(0, 80),
                               "\", expected ", count, " numbers");
  }
  return values;
}

bool is_true(const MetaImageHeader& header, std::initializer_list<std::string_view> keys, bool absent);

/// Size, spacing, origin and direction, all checked.
/// \throws Error corrupt, unsupported (dimensions, several channels, text), limit_exceeded.
void read_meta_geometry(const MetaImageHeader& header, MetaImage& image);

/// Of the directions; 1 or -1 for axes at right angles.
double determinant(const std::array<Point3, 3>& rows) noexcept;
double dot(const Point3& a, const Point3& b) noexcept;
Point3 cross(const Point3& a, const Point3& b) noexcept;

}  // namespace medretrieval::imaging
