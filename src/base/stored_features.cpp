#include <medretrieval/stored_features.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/concat.hpp"
#include "base/half.hpp"

namespace medretrieval {

std::string_view feature_type_name(FeatureType type) noexcept {
  switch (type) {
    case FeatureType::float16:
      return "float16";
    case FeatureType::uint8:
      return "uint8";
    case FeatureType::float32:
      break;
  }
  return "float32";
}

FeatureType feature_type(std::string_view name) {
  for (const auto type : {FeatureType::float32, FeatureType::float16, FeatureType::uint8}) {
    if (name == feature_type_name(type)) return type;
  }
  detail::fail(ErrorCode::invalid_argument,
               "stored_features: expected 'float32', 'float16' or 'uint8', got '", name, "'");
}

void StoredFeatures::copy_row(std::size_t row, std::span<float> out) const noexcept {
  switch (type_) {
    case FeatureType::float32:
      std::copy_n(floats() + row * stride_, cols_, out.begin());
      break;
    case FeatureType::float16:
      std::transform(halves() + row * stride_, halves() + row * stride_ + cols_, out.begin(),
                     detail::from_half);
      break;
    case FeatureType::uint8: {
      float head[2];  // least value, step
      std::memcpy(head, bytes() + row * stride_, sizeof head);
      const std::uint8_t* values = bytes() + row * stride_ + sizeof head;
      for (std::size_t d = 0; d < cols_; ++d)
        out[d] = std::fma(static_cast<float>(values[d]), head[1], head[0]);
      break;
    }
  }
}

}  // namespace medretrieval
