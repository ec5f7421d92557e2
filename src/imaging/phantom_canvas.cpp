#include "imaging/phantom_canvas.hpp"

#include <cstdint>

namespace medretrieval::imaging::phantom {

using detail::Random;

namespace {

/// A sum of four uniform numbers from one draw: near enough to normal, as filtering follows, and much faster.
double rough_normal(Random& random) {
  const std::uint64_t bits = random.next();
  const std::uint64_t sum =
      (bits & 0xffff) + ((bits >> 16) & 0xffff) + ((bits >> 32) & 0xffff) + (bits >> 48);
  return static_cast<double>(sum) - 2 * 65535.0;
}

/// Passes of the filter 1 2 1 for a standard deviation of `width_mm`: each adds half a pixel to the variance.
/// Six keep the cost bounded where pixels are fine.
int smoothing_passes(double width_mm, double spacing) {
  const double pixels = width_mm / spacing;
  return static_cast<int>(std::clamp(2 * pixels * pixels + 0.5, 0.0, 6.0));
}

/// The filter 1 2 1 along rows and along columns, `passes` times; the border repeats its edge.
void smooth(std::span<double> values, std::size_t side, int passes) {
  std::vector<double> line(side);
  const auto filter = [&](std::size_t start, std::size_t step) {
    for (std::size_t i = 0; i < side; ++i) line[i] = values[start + i * step];
    for (std::size_t i = 0; i < side; ++i) {
      const double before = line[i == 0 ? 0 : i - 1];
      const double after = line[i + 1 == side ? i : i + 1];
      values[start + i * step] = 0.25 * before + 0.5 * line[i] + 0.25 * after;
    }
  };
  for (int pass = 0; pass < passes; ++pass) {
    for (std::size_t y = 0; y < side; ++y) filter(y * side, 1);
    for (std::size_t x = 0; x < side; ++x) filter(x, side);
  }
}

}  // namespace

Unevenness::Unevenness(Random& random, double cell_mm) : cell_mm_(cell_mm), lattice_(kCells * kCells) {
  for (double& value : lattice_) value = 2 * random.uniform() - 1;
}

double Unevenness::at(Point point) const {
  const double column = point.x / cell_mm_;
  const double row = point.y / cell_mm_;
  const double left = std::floor(column);
  const double top = std::floor(row);
  const double right_share = smooth_step(0, 1, column - left);
  const double bottom_share = smooth_step(0, 1, row - top);
  const auto value = [&](double x, double y) {
    const auto wrapped = [](double cell) {
      return static_cast<std::size_t>(static_cast<long long>(cell)) % kCells;
    };
    return lattice_[wrapped(y) * kCells + wrapped(x)];
  };
  return mix(mix(value(left, top), value(left + 1, top), right_share),
             mix(value(left, top + 1), value(left + 1, top + 1), right_share), bottom_share);
}

void blur(Canvas& canvas, double width_mm) {
  smooth(canvas.values(), canvas.side(), smoothing_passes(width_mm, canvas.spacing()));
}

void add_noise(Canvas& canvas, double deviation, double grain_mm, Random& random) {
  std::vector<double> noise(canvas.values().size());
  for (double& value : noise) value = rough_normal(random);
  smooth(noise, canvas.side(), smoothing_passes(grain_mm, canvas.spacing()));
  double square = 0;
  for (const double value : noise) square += value * value;
  const double scale = deviation / std::sqrt(square / static_cast<double>(noise.size()));
  for (std::size_t i = 0; i < noise.size(); ++i) canvas.values()[i] += scale * noise[i];
}

}  // namespace medretrieval::imaging::phantom
