/// \file
/// How the feature vectors of a gallery are stored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <medretrieval/matrix.hpp>

namespace medretrieval {

/// The type of a stored feature value. Exact distances are those of the stored values, in float32 arithmetic.
enum class FeatureType : std::uint8_t {
  float32 = 1,
  float16 = 2,  ///< IEEE 754 binary16, rounded to nearest: half the bytes, about 11 bits of precision
};

/// Largest magnitude of a feature that is stored as float16.
inline constexpr float kMaxHalfMagnitude = 65504.0F;

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
  /// float16 values, without gaps between the rows.
  StoredFeatures(const std::uint16_t* halves, std::size_t rows, std::size_t cols) noexcept
      : type_(FeatureType::float16), values_(halves), rows_(rows), cols_(cols), stride_(cols) {}

  FeatureType type() const noexcept { return type_; }
  std::size_t rows() const noexcept { return rows_; }
  std::size_t cols() const noexcept { return cols_; }
  std::size_t stride() const noexcept { return stride_; }  ///< values from one row to the next
  std::size_t row_bytes() const noexcept { return stride_ * (type_ == FeatureType::float32 ? 4 : 2); }
  const float* floats() const noexcept { return static_cast<const float*>(values_); }
  const std::uint16_t* halves() const noexcept { return static_cast<const std::uint16_t*>(values_); }

  /// The first byte of a row.
  const std::byte* row_data(std::size_t row) const noexcept {
    return static_cast<const std::byte*>(values_) + row * row_bytes();
  }
  /// \param out cols() values
  void copy_row(std::size_t row, std::span<float> out) const noexcept;

 private:
  FeatureType type_ = FeatureType::float32;
  const void* values_ = nullptr;
  std::size_t rows_ = 0;
  std::size_t cols_ = 0;
  std::size_t stride_ = 0;
};

}  // namespace medretrieval
