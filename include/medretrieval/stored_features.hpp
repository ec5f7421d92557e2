/// \file
/// How the feature vectors of a gallery are stored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <medretrieval/matrix.hpp>

namespace medretrieval {

/// The type of a stored feature value. Exact distances are those of the stored values, in float32 arithmetic.
enum class FeatureType : std::uint8_t {
  float32 = 1,
  float16 = 2,  ///< IEEE 754 binary16, rounded to nearest: half the bytes, about 11 bits of precision
  /// One byte a value: 255 equal steps from the least to the largest value of its row, rounded to nearest. A value is
  /// off by at most 1/510 of the row's range. 8 bytes a row hold the least value and the step.
  uint8 = 3,
};

/// Largest magnitude of a feature that is stored as float16.
inline constexpr float kMaxHalfMagnitude = 65504.0F;

/// "float32", "float16" or "uint8".
std::string_view feature_type_name(FeatureType type) noexcept;
/// \throws Error (invalid_argument) for another name.
FeatureType feature_type(std::string_view name);

/// Feature vectors that somebody else owns, for example a mapped file. Row-major.
class StoredFeatures {
 public:
  StoredFeatures() = default;
  /// float32 values.
  StoredFeatures(MatrixView values) noexcept  // NOLINT(google-explicit-constructor): a view of the same thing
      : type_(FeatureType::float32),
        values_(values.data()),
        rows_(values.rows()),
        cols_(values.cols()),
        stride_(values.stride()) {}
  /// Values of any type, without gaps between the rows.
  /// \param values aligned as the type's values are
  StoredFeatures(FeatureType type, const std::byte* values, std::size_t rows, std::size_t cols) noexcept
      : type_(type),
        values_(values),
        rows_(rows),
        cols_(cols),
        stride_(type == FeatureType::uint8 ? cols + kHeadBytes : cols) {}

  FeatureType type() const noexcept { return type_; }
  std::size_t rows() const noexcept { return rows_; }
  std::size_t cols() const noexcept { return cols_; }
  /// Floats, halves or bytes from one row to the next.
  std::size_t stride() const noexcept { return stride_; }
  std::size_t row_bytes() const noexcept { return stride_ * value_bytes(type_); }
  /// What a row without gaps takes.
  static constexpr std::size_t row_bytes(FeatureType type, std::size_t cols) noexcept {
    return cols * value_bytes(type) + (type == FeatureType::uint8 ? kHeadBytes : 0);
  }
  const float* floats() const noexcept { return static_cast<const float*>(values_); }
  const std::uint16_t* halves() const noexcept { return static_cast<const std::uint16_t*>(values_); }
  const std::uint8_t* bytes() const noexcept { return static_cast<const std::uint8_t*>(values_); }

  /// The bytes of a row.
  std::span<const std::byte> row(std::size_t row) const noexcept {
    return {static_cast<const std::byte*>(values_) + row * row_bytes(), row_bytes(type_, cols_)};
  }
  /// \param out cols() values
  void copy_row(std::size_t row, std::span<float> out) const noexcept;

 private:
  static constexpr std::size_t kHeadBytes = 8;  // least value and step before the bytes of a row
  static constexpr std::size_t value_bytes(FeatureType type) noexcept {
    return type == FeatureType::float32 ? 4 : type == FeatureType::float16 ? 2 : 1;
  }

  FeatureType type_ = FeatureType::float32;
  const void* values_ = nullptr;
  std::size_t rows_ = 0;
  std::size_t cols_ = 0;
  std::size_t stride_ = 0;
};

}  // namespace medretrieval
