// Rows that a segment is written from: newly added ones, or those of older segments.
#pragma once

#include <cstddef>
#include <limits>
#include <medretrieval/item.hpp>
#include <medretrieval/labels.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gallery/columns.hpp"

namespace medretrieval::gallery {

/// A date column's value for undated items.
inline constexpr std::int32_t kNoDate = std::numeric_limits<std::int32_t>::min();

class RowSource {
 public:
  virtual ~RowSource() = default;
  virtual std::size_t rows() const = 0;
  /// Fields and attributes; the accessors below take a column's place in this list.
  virtual const std::vector<Column>& columns() const = 0;

  virtual ItemId id(std::size_t row) const = 0;
  /// The first is the primary class.
  virtual std::vector<ClassId> labels(std::size_t row) const = 0;
  /// Empty when unknown; valid as long as the source.
  virtual std::string_view text(std::size_t column, std::size_t row) const = 0;
  /// NaN when unknown.
  virtual double number(std::size_t column, std::size_t row) const = 0;
  /// Days since 1970-01-01, or kNoDate.
  virtual std::int32_t days(std::size_t column, std::size_t row) const = 0;
  /// The inverted list; not called when the model has none.
  virtual std::uint32_t list(std::size_t row) const = 0;
  /// The features as they are stored; valid until the next call.
  virtual std::span<const std::byte> features(std::size_t row) const = 0;
  /// The packed code; not called when the model has no encoder.
  virtual void code(std::size_t row, std::uint8_t* out) const = 0;
};

}  // namespace medretrieval::gallery
