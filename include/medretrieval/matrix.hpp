/// \file
/// Row-major float32 matrices: the form in which features enter and leave the library.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace medretrieval {

/// A matrix that somebody else owns: `rows` vectors of `cols` float32 values, row r at `data + r * stride`.
/// Valid as long as the memory it points to.
class MatrixView {
 public:
  MatrixView() = default;
  /// Contiguous rows.
  MatrixView(const float* data, std::size_t rows, std::size_t cols) : MatrixView(data, rows, cols, cols) {}
  /// `stride` counts floats from one row to the next and is at least `cols`.
  MatrixView(const float* data, std::size_t rows, std::size_t cols, std::size_t stride)
      : data_(data), rows_(rows), cols_(cols), stride_(stride) {}
  /// One row.
  explicit MatrixView(std::span<const float> row) : MatrixView(row.data(), 1, row.size()) {}

  const float* data() const noexcept { return data_; }
  std::size_t rows() const noexcept { return rows_; }
  std::size_t cols() const noexcept { return cols_; }
  std::size_t stride() const noexcept { return stride_; }
  bool empty() const noexcept { return rows_ == 0 || cols_ == 0; }

  std::span<const float> row(std::size_t r) const noexcept { return {data_ + r * stride_, cols_}; }
  /// Rows `first` to `first + count - 1`; the caller keeps within bounds.
  MatrixView rows_from(std::size_t first, std::size_t count) const noexcept {
    return {data_ + first * stride_, count, cols_, stride_};
  }
  /// Columns `first` to `first + count - 1` of every row; the caller keeps within bounds.
  MatrixView cols_from(std::size_t first, std::size_t count) const noexcept {
    return {data_ + first, rows_, count, stride_};
  }

 private:
  const float* data_ = nullptr;
  std::size_t rows_ = 0;
  std::size_t cols_ = 0;
  std::size_t stride_ = 0;
};

/// An owning matrix, contiguous, aligned to 64 bytes, zero at construction. Move-only; `clone()` copies.
class Matrix {
 public:
  Matrix() = default;
  /// \throws Error (limit_exceeded) when rows * cols * 4 does not fit the address space.
  Matrix(std::size_t rows, std::size_t cols);

  std::size_t rows() const noexcept { return rows_; }
  std::size_t cols() const noexcept { return cols_; }
  bool empty() const noexcept { return rows_ == 0 || cols_ == 0; }

  float* data() noexcept { return data_.get(); }
  const float* data() const noexcept { return data_.get(); }
  std::span<float> row(std::size_t r) noexcept { return {data_.get() + r * cols_, cols_}; }
  std::span<const float> row(std::size_t r) const noexcept { return {data_.get() + r * cols_, cols_}; }
  float& operator()(std::size_t r, std::size_t c) noexcept { return data_[r * cols_ + c]; }
  float operator()(std::size_t r, std::size_t c) const noexcept { return data_[r * cols_ + c]; }

  MatrixView view() const noexcept { return {data_.get(), rows_, cols_}; }
  operator MatrixView() const noexcept { return view(); }

  Matrix clone() const;
  static Matrix copy_of(MatrixView source);

 private:
  struct AlignedDelete {
    void operator()(float* memory) const noexcept;
  };
  std::unique_ptr<float[], AlignedDelete> data_;
  std::size_t rows_ = 0;
  std::size_t cols_ = 0;
};

/// The largest magnitude a feature value may have. Squares of such values, summed over 65,536 dimensions,
/// stay finite in float32, so no distance ever overflows.
inline constexpr float kMaxFeatureMagnitude = 1e16F;
/// The largest number of dimensions of a feature vector.
inline constexpr std::size_t kMaxDimension = 65536;

/// Checks features before they enter the library.
/// \param what names them in the message, for example "queries"
/// \param expected_cols 0: any width from 1 to kMaxDimension
/// \throws Error (invalid_argument) when the width differs, a pointer is null, or a value is NaN, infinite or
///        larger than kMaxFeatureMagnitude; the message names the row, the column and the value.
void require_features(MatrixView features, const char* what, std::size_t expected_cols = 0);

}  // namespace medretrieval
