#include "linalg/matrix_multiply.hpp"

#include <algorithm>
#include <cstring>
#include <span>

#include "base/parallel_for.hpp"
#include "kernels/dispatch.hpp"

namespace medretrieval::linalg {

namespace {

constexpr std::size_t kDepthBlock = 256;    // inner elements for which a panel of b stays in the first cache
constexpr std::size_t kRowBlock = 96;       // rows of a packed together, a multiple of every tile height
constexpr std::size_t kColumnBlock = 1024;  // rows of b packed at a time

/// A factor of a product: the rows of a matrix, or its columns.
struct Factor {
  MatrixView matrix;
  bool columns = false;

  std::size_t size() const { return columns ? matrix.cols() : matrix.rows(); }
  std::size_t depth() const { return columns ? matrix.rows() : matrix.cols(); }
  /// The members `first` to `first + count - 1`.
  Factor part(std::size_t first, std::size_t count) const {
    return {columns ? matrix.cols_from(first, count) : matrix.rows_from(first, count), columns};
  }
};

/// Inner elements of the first depth block; the last may have fewer.
std::size_t block_depth(const Factor& factor) {
  return std::min(kDepthBlock, factor.depth());
}

/// Columns `first` to `first + count - 1` of up to `width` rows, side by side: four rows at a time, so that stores go to
/// neighbours.
void pack_rows(MatrixView rows, std::size_t first, std::size_t count, std::size_t width, float* panel) {
  std::size_t r = 0;
  for (; r + 4 <= rows.rows(); r += 4) {
    const float* from[4];
    for (std::size_t i = 0; i < 4; ++i) from[i] = rows.row(r + i).data() + first;
    for (std::size_t k = 0; k < count; ++k) {
      for (std::size_t i = 0; i < 4; ++i) panel[k * width + r + i] = from[i][k];
    }
  }
  for (; r < rows.rows(); ++r) {
    const float* from = rows.row(r).data() + first;
    for (std::size_t k = 0; k < count; ++k) panel[k * width + r] = from[k];
  }
}

/// Packs a factor in panels of `width` members: for each inner index the `width` values side by side, zeros
/// where members are missing. Panel p of depth block d starts at (d * panels + p) * width *
/// block_depth(factor).
void pack(const Factor& factor, std::size_t width, std::vector<float>& packed) {
  const std::size_t panels = (factor.size() + width - 1) / width;
  const std::size_t depth = block_depth(factor);
  const std::size_t depth_blocks = (factor.depth() + kDepthBlock - 1) / kDepthBlock;
  packed.resize(panels * depth_blocks * width * depth);
  for (std::size_t first_k = 0, block = 0; block < depth_blocks; ++block, first_k += kDepthBlock) {
    const std::size_t last_k = std::min(first_k + kDepthBlock, factor.depth());
    for (std::size_t p = 0; p < panels; ++p) {
      float* panel = packed.data() + (block * panels + p) * width * depth;
      const std::size_t first = p * width;
      const std::size_t members = std::min(width, factor.size() - first);
      if (members < width) std::fill(panel, panel + width * depth, 0.0F);
      if (factor.columns) {
        for (std::size_t k = first_k; k < last_k; ++k) {
          const float* from = factor.matrix.row(k).data() + first;
          std::copy(from, from + members, panel + (k - first_k) * width);
        }
      } else {
        pack_rows(factor.matrix.rows_from(first, members), first_k, last_k - first_k, width, panel);
      }
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

/// A block of a times a packed block of b.
void multiply_block(const Factor& a, const std::vector<float>& packed_b, std::size_t b_size, float* out,
                    std::size_t out_stride) {
  const auto& kernel = kernels::active();
  std::vector<float> packed_a;
  pack(a, kernel.tile_rows, packed_a);
  const std::size_t panel_depth = block_depth(a);  // as deep as b's
  const std::size_t a_panels = (a.size() + kernel.tile_rows - 1) / kernel.tile_rows;
  const std::size_t b_panels = (b_size + kernel.tile_cols - 1) / kernel.tile_cols;
  for (std::size_t r = 0; r < a.size(); ++r) std::memset(out + r * out_stride, 0, b_size * sizeof(float));
  for (std::size_t begin = 0; begin < a.depth(); begin += kDepthBlock) {
    const std::size_t depth = std::min(kDepthBlock, a.depth() - begin);
    const std::size_t depth_block = begin / kDepthBlock;
    for (std::size_t bp = 0; bp < b_panels; ++bp) {
      const float* b_panel = packed_b.data() + (depth_block * b_panels + bp) * kernel.tile_cols * panel_depth;
      const std::size_t cols = std::min(kernel.tile_cols, b_size - bp * kernel.tile_cols);
      for (std::size_t ap = 0; ap < a_panels; ++ap) {
        const float* a_panel =
            packed_a.data() + (depth_block * a_panels + ap) * kernel.tile_rows * panel_depth;
        const std::size_t rows = std::min(kernel.tile_rows, a.size() - ap * kernel.tile_rows);
        run_tile(kernel, a_panel, b_panel, depth,
                 out + ap * kernel.tile_rows * out_stride + bp * kernel.tile_cols, out_stride, rows, cols);
      }
    }
  }
}

constexpr std::size_t kFewRows = 3;  // fewer waste most of a tile

/// The same for one row of a.
void multiply_row(std::span<const float> a, const std::vector<float>& packed_b, std::size_t b_size,
                  float* out) {
  const auto& kernel = kernels::active();
  const std::size_t panel = kernel.tile_cols * std::min(kDepthBlock, a.size());
  const std::size_t panels = (b_size + kernel.tile_cols - 1) / kernel.tile_cols;
  std::vector<float> sums(panels * kernel.tile_cols);
  for (std::size_t begin = 0; begin < a.size(); begin += kDepthBlock) {
    kernel.multiply_row(a.data() + begin, packed_b.data() + begin / kDepthBlock * panels * panel, panel,
                        panels, std::min(kDepthBlock, a.size() - begin), sums.data());
  }
  std::copy_n(sums.begin(), b_size, out);
}

/// out[i][j] = sum over the inner index of a[i] b[first + j], for a packed block of b.
void multiply_packed(const Factor& a, const std::vector<float>& packed_b, std::size_t first,
                     std::size_t b_size, float* out, std::size_t out_stride, int threads) {
  if (a.size() < kFewRows && !a.columns) {
    for (std::size_t r = 0; r < a.size(); ++r) {
      multiply_row(a.matrix.row(r), packed_b, b_size, out + r * out_stride + first);
    }
    return;
  }
  detail::parallel_for((a.size() + kRowBlock - 1) / kRowBlock, threads, [&](std::size_t block) {
    const std::size_t row = block * kRowBlock;
    const Factor a_block = a.part(row, std::min(kRowBlock, a.size() - row));
    multiply_block(a_block, packed_b, b_size, out + row * out_stride + first, out_stride);
  });
}

void multiply(const Factor& a, const Factor& b, float* out, std::size_t out_stride, int threads) {
  std::vector<float> packed_b;
  for (std::size_t first = 0; first < b.size(); first += kColumnBlock) {
    const std::size_t count = std::min(kColumnBlock, b.size() - first);
    pack(b.part(first, count), kernels::active().tile_cols, packed_b);
    multiply_packed(a, packed_b, first, count, out, out_stride, threads);
  }
}

}  // namespace

Matrix multiply_transposed(MatrixView a, MatrixView b, int threads) {
  Matrix result(a.rows(), b.rows());
  multiply({a}, {b}, result.data(), result.cols(), threads);
  return result;
}

Matrix transposed(MatrixView source) {
  Matrix result(source.cols(), source.rows());
  for (std::size_t r = 0; r < source.rows(); ++r) {
    const auto row = source.row(r);
    for (std::size_t c = 0; c < row.size(); ++c) result(c, r) = row[c];
  }
  return result;
}

PackedMatrix::PackedMatrix(MatrixView rows) : rows_(rows.rows()), cols_(rows.cols()) {
  for (std::size_t first = 0; first < rows_; first += kColumnBlock) {
    const Factor block = {rows.rows_from(first, std::min(kColumnBlock, rows_ - first))};
    pack(block, kernels::active().tile_cols, blocks_.emplace_back());
  }
}

Matrix multiply_transposed(MatrixView a, const PackedMatrix& b, int threads) {
  Matrix result(a.rows(), b.rows());
  for (std::size_t block = 0; block < b.blocks_.size(); ++block) {
    const std::size_t first = block * kColumnBlock;
    multiply_packed({a}, b.blocks_[block], first, std::min(kColumnBlock, b.rows() - first), result.data(),
                    result.cols(), threads);
  }
  return result;
}

namespace {

/// The sum of the products of row parts, which multiply_part(first row, count, out) computes in float32.
template <class MultiplyPart>
DoubleMatrix sum_of_parts(std::size_t rows, std::size_t a_cols, std::size_t b_cols, int threads,
                          const MultiplyPart& multiply_part) {
  DoubleMatrix sum(a_cols, b_cols);
  // Chunks are independent; so many as there are threads are computed at once and added in row order.
  const auto at_once = std::min(static_cast<std::size_t>(detail::resolve_threads(threads)),
                                (rows + kCrossRows - 1) / kCrossRows);
  if (at_once == 0) return sum;
  std::vector<Matrix> parts;
  for (std::size_t p = 0; p < at_once; ++p) parts.emplace_back(a_cols, b_cols);
  for (std::size_t first = 0; first < rows; first += at_once * kCrossRows) {
    const std::size_t chunks = std::min(at_once, (rows - first + kCrossRows - 1) / kCrossRows);
    detail::parallel_for(chunks, threads, [&](std::size_t chunk) {
      const std::size_t row = first + chunk * kCrossRows;
      multiply_part(row, std::min(kCrossRows, rows - row), parts[chunk].data());
    });
    for (std::size_t chunk = 0; chunk < chunks; ++chunk) {
      for (std::size_t i = 0; i < sum.values.size(); ++i) {
        sum.values[i] += static_cast<double>(parts[chunk].data()[i]);
      }
    }
  }
  return sum;
}

}  // namespace

DoubleMatrix cross_product(MatrixView a, MatrixView b, int threads) {
  return sum_of_parts(
      a.rows(), a.cols(), b.cols(), threads, [&](std::size_t row, std::size_t count, float* out) {
        multiply({a.rows_from(row, count), true}, {b.rows_from(row, count), true}, out, b.cols(), 1);
      });
}

DoubleMatrix sum_of_cross_products(MatrixView a, std::size_t b_cols, int threads,
                                   const std::function<Matrix(std::size_t, MatrixView)>& make_b) {
  return sum_of_parts(a.rows(), a.cols(), b_cols, threads,
                      [&](std::size_t row, std::size_t count, float* out) {
                        const MatrixView part = a.rows_from(row, count);
                        multiply({part, true}, {make_b(row, part), true}, out, b_cols, 1);
                      });
}

}  // namespace medretrieval::linalg
