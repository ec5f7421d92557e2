#include "linalg/row_sample.hpp"

#include <algorithm>

namespace medretrieval::linalg {

RowSample::RowSample(MatrixView rows, std::size_t count, detail::Random& random) : view_(rows) {
  if (count == 0 || count >= rows.rows()) return;
  const auto chosen = detail::sample_without_replacement(rows.rows(), count, random);
  copied_ = Matrix(count, rows.cols());
  for (std::size_t i = 0; i < count; ++i) {
    const auto row = rows.row(chosen[i]);
    std::copy(row.begin(), row.end(), copied_.row(i).begin());
  }
  view_ = copied_;
}

}  // namespace medretrieval::linalg
