// A random part of many rows.
#pragma once

#include <cstddef>
#include <medretrieval/matrix.hpp>

#include "base/random.hpp"

namespace medretrieval::linalg {

/// `count` rows drawn without replacement, in ascending order; or all rows, not copied.
class RowSample {
 public:
  /// \param count 0: all
  /// \param rows outlive this object
  RowSample(MatrixView rows, std::size_t count, detail::Random& random);

  MatrixView view() const noexcept { return view_; }

 private:
  Matrix copied_;
  MatrixView view_;
};

}  // namespace medretrieval::linalg
