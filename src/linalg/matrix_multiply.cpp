#include "linalg/matrix_multiply.hpp"

#include <algorithm>
#include <cstring>

#include "base/parallel_for.hpp"
#include "kernels/dispatch.hpp"

namespace medretrieval::linalg {

namespace {

constexpr std::size_t kDepthBlock = 256;  // inner elements for which a panel of b stays in the first cache
constexpr std::size_t kRowBlock = 96;     // rows of a packed together, a multiple of every tile height but 16
constexpr std::size_t kColumnBlock = 1024;  // rows of b packed at a time
constexpr std::size_t kCrossRows = 1024;    // rows summed in float32 before double takes over

/// Packs rows of `source` in panels of `width` rows: for each inner index the `width` values side by side,
/// zeros where rows are missing. Panel p of depth block d starts at (d * panels + p) * width * kDepthBlock.
void pack(MatrixView source, std::size_t width, std::vector<float>& packed) {
  const std::size_t panels = (source.rows() + width - 1) / width;
  const std::size_t depth_blocks = (source.cols() + kDepthBlock - 1) / kDepthBlock;
  packed.assign(panels * depth_blocks * width * kDepthBlock, 0.0F);
  for (std::size_t r = 0; r < source.rows(); ++r) {
    const auto row = source.row(r);
    for (std::size_t k = 0; k < row.size(); ++k) {
      const std::size_t panel = k / kDepthBlock * panels + r / width;
      packed[panel * width * kDepthBlock + k % kDepthBlock * width + r % width] = row[k];
    }
  }
}

/// One tile of the output, through a buffer when it hangs over the edge.
void run_tile(const kernels::KernelTable& kernel, const float* a, const float* b, std::size_t depth,
              float* out, std::size_t out_stride, std::size_t rows, std::size_t cols) {
  if (rows == kernel.tile_rows && cols == kernel.tile_cols) {
    kernel.multiply_tile(a, b, depth, out, out_stride);
    return;
  }
  float tile[16 * 64] = {};
  for (std::size_t r = 0; r < rows; ++r)
    std::memcpy(tile + r * 64, out + r * out_stride, cols * sizeof(float));
  kernel.multiply_tile(a, b, depth, tile, 64);
  for (std::size_t r = 0; r < rows; ++r)
    std::memcpy(out + r * out_stride, tile + r * 64, cols * sizeof(float));
}

/// A block of rows of a times a packed block of b.
void multiply_block(MatrixView a, const std::vector<float>& packed_b, std::size_t b_rows, float* out,
                    std::size_t out_stride) {
  const auto& kernel = kernels::active();
  std::vector<float> packed_a;
  pack(a, kernel.tile_rows, packed_a);
  const std::size_t a_panels = (a.rows() + kernel.tile_rows - 1) / kernel.tile_rows;
  const std::size_t b_panels = (b_rows + kernel.tile_cols - 1) / kernel.tile_cols;
  for (std::size_t r = 0; r < a.rows(); ++r) std::memset(out + r * out_stride, 0, b_rows * sizeof(float));
  for (std::size_t begin = 0; begin < a.cols(); begin += kDepthBlock) {
    const std::size_t depth = std::min(kDepthBlock, a.cols() - begin);
    const std::size_t depth_block = begin / kDepthBlock;
    for (std::size_t bp = 0; bp < b_panels; ++bp) {
      const float* b_panel = packed_b.data() + (depth_block * b_panels + bp) * kernel.tile_cols * kDepthBlock;
      const std::size_t cols = std::min(kernel.tile_cols, b_rows - bp * kernel.tile_cols);
      for (std::size_t ap = 0; ap < a_panels; ++ap) {
        const float* a_panel =
            packed_a.data() + (depth_block * a_panels + ap) * kernel.tile_rows * kDepthBlock;
        const std::size_t rows = std::min(kernel.tile_rows, a.rows() - ap * kernel.tile_rows);
        run_tile(kernel, a_panel, b_panel, depth,
                 out + ap * kernel.tile_rows * out_stride + bp * kernel.tile_cols, out_stride, rows, cols);
      }
    }
  }
}

/// The transpose of rows `first` to `first + count - 1`.
Matrix transposed_rows(MatrixView source, std::size_t first, std::size_t count) {
  Matrix result(source.cols(), count);
  for (std::size_t r = 0; r < count; ++r) {
    const auto row = source.row(first + r);
    for (std::size_t c = 0; c < row.size(); ++c) result(c, r) = row[c];
  }
  return result;
}

}  // namespace

void multiply_transposed(MatrixView a, MatrixView b, float* out, std::size_t out_stride, int threads) {
  if (a.rows() == 0) return;
  const std::size_t row_blocks = (a.rows() + kRowBlock - 1) / kRowBlock;
  std::vector<float> packed_b;
  for (std::size_t first = 0; first < b.rows(); first += kColumnBlock) {
    const MatrixView b_block = b.rows_from(first, std::min(kColumnBlock, b.rows() - first));
    pack(b_block, kernels::active().tile_cols, packed_b);
    detail::parallel_for(row_blocks, threads, [&](std::size_t block) {
      const std::size_t row = block * kRowBlock;
      const MatrixView a_block = a.rows_from(row, std::min(kRowBlock, a.rows() - row));
      multiply_block(a_block, packed_b, b_block.rows(), out + row * out_stride + first, out_stride);
    });
  }
}

Matrix multiply_transposed(MatrixView a, MatrixView b, int threads) {
  Matrix result(a.rows(), b.rows());
  multiply_transposed(a, b, result.data(), result.cols(), threads);
  return result;
}

DoubleMatrix cross_product(MatrixView a, MatrixView b, int threads) {
  DoubleMatrix sum(a.cols(), b.cols());
  for (std::size_t first = 0; first < a.rows(); first += kCrossRows) {
    const std::size_t count = std::min(kCrossRows, a.rows() - first);
    const Matrix part =
        multiply_transposed(transposed_rows(a, first, count), transposed_rows(b, first, count), threads);
    for (std::size_t i = 0; i < sum.values.size(); ++i) sum.values[i] += static_cast<double>(part.data()[i]);
  }
  return sum;
}

}  // namespace medretrieval::linalg
