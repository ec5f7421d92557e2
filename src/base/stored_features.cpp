#include <medretrieval/stored_features.hpp>

#include <algorithm>

#include "base/half.hpp"

namespace medretrieval {

void StoredFeatures::copy_row(std::size_t row, std::span<float> out) const noexcept {
  if (type_ == FeatureType::float32) {
    std::copy_n(floats() + row * stride_, cols_, out.begin());
  } else {
    std::transform(halves() + row * stride_, halves() + row * stride_ + cols_, out.begin(),
                   detail::from_half);
  }
}

}  // namespace medretrieval
