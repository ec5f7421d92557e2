#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <medretrieval/matrix.hpp>
#include <new>

#include "base/concat.hpp"

namespace medretrieval {

using detail::fail;

void Matrix::AlignedDelete::operator()(float* memory) const noexcept {
  std::free(memory);
}

Matrix::Matrix(std::size_t rows, std::size_t cols) : rows_(rows), cols_(cols) {
  if (rows == 0 || cols == 0) return;
  constexpr std::size_t kMost = std::numeric_limits<std::ptrdiff_t>::max() / sizeof(float) - 64;
  if (cols > kMost / rows) {
    fail(ErrorCode::limit_exceeded, "a matrix of ", rows, " x ", cols, " does not fit the address space");
  }
  const std::size_t bytes = (rows * cols * sizeof(float) + 63) / 64 * 64;
  data_.reset(static_cast<float*>(std::aligned_alloc(64, bytes)));
  if (!data_) throw std::bad_alloc();
  std::memset(data_.get(), 0, bytes);
}

Matrix Matrix::clone() const {
  return copy_of(view());
}

Matrix Matrix::copy_of(MatrixView source) {
  Matrix copy(source.rows(), source.cols());
  if (copy.empty()) return copy;
  for (std::size_t r = 0; r < source.rows(); ++r) {
    std::memcpy(copy.row(r).data(), source.row(r).data(), source.cols() * sizeof(float));
  }
  return copy;
}

void require_features(MatrixView features, const char* what, std::size_t expected_cols) {
  if (expected_cols != 0 && features.cols() != expected_cols) {
    fail(ErrorCode::invalid_argument, what, ": expected ", expected_cols, " dimensions, got ",
         features.cols());
  }
  if (features.cols() == 0 || features.cols() > kMaxDimension) {
    fail(ErrorCode::invalid_argument, what, ": expected 1 to ", kMaxDimension, " dimensions, got ",
         features.cols());
  }
  if (features.rows() == 0) return;
  if (features.data() == nullptr) fail(ErrorCode::invalid_argument, what, ": the data pointer is null");
  if (features.rows() > 1 && features.stride() < features.cols()) {
    fail(ErrorCode::invalid_argument, what, ": a stride of ", features.stride(), " is below the ",
         features.cols(), " dimensions of a row");
  }
  for (std::size_t r = 0; r < features.rows(); ++r) {
    const auto row = features.row(r);
    unsigned bad = 0;  // no exit inside, so that the compiler takes several values at a time
    for (const float value : row) bad |= static_cast<unsigned>(!(std::fabs(value) <= kMaxFeatureMagnitude));
    for (std::size_t c = 0; bad != 0 && c < row.size(); ++c) {
      if (!(std::fabs(row[c]) <= kMaxFeatureMagnitude)) {
        fail(ErrorCode::invalid_argument, what, ": expected finite values of magnitude up to ",
             kMaxFeatureMagnitude, ", got ", row[c], " in row ", r, ", column ", c);
      }
    }
  }
}

}  // namespace medretrieval
