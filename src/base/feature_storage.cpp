#include "base/feature_storage.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/concat.hpp"
#include "base/half.hpp"

namespace medretrieval::detail {

namespace {

constexpr int kSteps = 255;
/// A row's step at most, a trace above that of a row from one end of the features' range to the other.
constexpr float kMaxStep = 2 * kMaxFeatureMagnitude / (kSteps - 1);

void store_halves(std::span<const float> row, std::size_t number, std::byte* out) {
  for (const float value : row) {
    if (!(std::fabs(value) <= kMaxHalfMagnitude)) {
      fail(ErrorCode::invalid_argument, "features: row ", number, " holds ", value,
           "; the model stores float16, up to ", kMaxHalfMagnitude);
    }
    const std::uint16_t half = to_half(value);
    std::memcpy(out, &half, sizeof half);
    out += sizeof half;
  }
}

/// In double precision a value that lies on a step comes out as this step.
void store_bytes(std::span<const float> row, std::byte* out) {
  const auto [least, largest] = std::minmax_element(row.begin(), row.end());
  const double offset = *least;
  auto step = static_cast<float>((static_cast<double>(*largest) - offset) / kSteps);
  if (std::fma(static_cast<float>(kSteps), step, *least) > kMaxFeatureMagnitude)
    step = std::nextafter(step, 0.0F);
  std::memcpy(out, &*least, sizeof *least);
  std::memcpy(out + sizeof *least, &step, sizeof step);
  out += sizeof *least + sizeof step;
  for (const float value : row) {
    const double steps = step == 0 ? 0 : (static_cast<double>(value) - offset) / static_cast<double>(step);
    *out++ = static_cast<std::byte>(std::min(std::floor(steps + 0.5), double{kSteps}));
  }
}

}  // namespace

std::vector<std::byte> to_stored(MatrixView features, FeatureType type) {
  const std::size_t row_bytes = StoredFeatures::row_bytes(type, features.cols());
  std::vector<std::byte> stored(features.rows() * row_bytes);
  for (std::size_t r = 0; r < features.rows(); ++r) {
    const auto row = features.row(r);
    std::byte* out = stored.data() + r * row_bytes;
    switch (type) {
      case FeatureType::float32:
        std::memcpy(out, row.data(), row_bytes);
        break;
      case FeatureType::float16:
        store_halves(row, r, out);
        break;
      case FeatureType::uint8:
        store_bytes(row, out);
        break;
    }
  }
  return stored;
}

Matrix from_stored(const StoredFeatures& features) {
  Matrix values(features.rows(), features.cols());
  for (std::size_t r = 0; r < features.rows(); ++r) features.copy_row(r, values.row(r));
  return values;
}

bool are_sound(const StoredFeatures& features) {
  if (features.type() == FeatureType::float16) {
    constexpr unsigned kExponent = 0x7c00;  // all bits set: infinity or NaN
    return std::all_of(features.halves(), features.halves() + features.rows() * features.cols(),
                       [](unsigned half) { return (half & kExponent) != kExponent; });
  }
  if (features.type() == FeatureType::float32) {
    return std::all_of(features.floats(), features.floats() + features.rows() * features.cols(),
                       [](float value) { return std::fabs(value) <= kMaxFeatureMagnitude; });
  }
  for (std::size_t r = 0; r < features.rows(); ++r) {
    float head[2];
    std::memcpy(head, features.bytes() + r * features.stride(), sizeof head);
    const bool in_range = std::fabs(head[0]) <= kMaxFeatureMagnitude && head[1] >= 0 && head[1] <= kMaxStep;
    if (!in_range || std::fma(static_cast<float>(kSteps), head[1], head[0]) > kMaxFeatureMagnitude)
      return false;
  }
  return true;
}

}  // namespace medretrieval::detail
