#include "imaging/gradient_histogram.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

namespace medretrieval::imaging {

namespace {

constexpr float kClip = 0.2F;                 // of L2-hys: no direction of one cell may dominate its block
constexpr float kNoiseGradient = 0.5F / 255;  // a pixel; a block of fainter gradients counts as flat

/// A gradient as the sum of two neighbours among the eight directions 0, 45, ..., 315 degrees. This is the
/// soft vote of HOG without an angle: exact, and free of library functions that differ between machines.
struct Split {
  std::size_t axis;
  std::size_t diagonal;
  float along_axis;
  float along_diagonal;
};

Split split_direction(float gx, float gy) {
  const float x = std::fabs(gx);
  const float y = std::fabs(gy);
  const std::size_t horizontal = gx >= 0 ? 0 : 4;
  const std::size_t vertical = gy >= 0 ? 2 : 6;
  const std::size_t diagonal = gx >= 0 ? (gy >= 0 ? 1 : 7) : (gy >= 0 ? 3 : 5);
  return {x >= y ? horizontal : vertical, diagonal, std::fabs(x - y),
          std::numbers::sqrt2_v<float> * std::min(x, y)};
}

/// A pixel's two nearest cells along one axis and its share in each; no share goes beyond the border.
struct Share {
  std::array<std::size_t, 2> cell = {};
  std::array<float, 2> weight = {};
};

std::vector<Share> shares_of(std::size_t side, std::size_t cells) {
  std::vector<Share> shares(side);
  for (std::size_t i = 0; i < side; ++i) {
    const float place =
        (static_cast<float>(i) + 0.5F) * static_cast<float>(cells) / static_cast<float>(side) - 0.5F;
    const float floor = std::floor(place);
    for (std::size_t k = 0; k < 2; ++k) {
      const float cell = floor + static_cast<float>(k);
      if (cell < 0 || cell >= static_cast<float>(cells)) continue;
      shares[i].cell[k] = static_cast<std::size_t>(cell);
      shares[i].weight[k] = 1 - std::fabs(place - cell);
    }
  }
  return shares;
}

using Cell = std::array<float, kGradientDirections>;

std::vector<Cell> vote(const Image& image, std::size_t cells) {
  const std::size_t last = image.width() - 1;
  const std::vector<Share> shares = shares_of(image.width(), cells);
  std::vector<Cell> votes(cells * cells, Cell{});
  for (std::size_t y = 0; y <= last; ++y) {
    const auto row = image.row(y);
    const auto above = image.row(y == 0 ? 0 : y - 1);
    const auto below = image.row(std::min(y + 1, last));
    for (std::size_t x = 0; x <= last; ++x) {
      const float gx = row[std::min(x + 1, last)] - row[x == 0 ? 0 : x - 1];
      const Split split = split_direction(gx, below[x] - above[x]);
      for (std::size_t j = 0; j < 2; ++j) {
        for (std::size_t i = 0; i < 2; ++i) {
          Cell& cell = votes[shares[y].cell[j] * cells + shares[x].cell[i]];
          const float weight = shares[y].weight[j] * shares[x].weight[i];
          cell[split.axis] += weight * split.along_axis;
          cell[split.diagonal] += weight * split.along_diagonal;
        }
      }
    }
  }
  return votes;
}

void divide_by_norm(std::span<float> values, float noise) {
  float squares = noise * noise;
  for (const float value : values) squares += value * value;
  if (squares == 0) return;
  const float scale = 1 / std::sqrt(squares);
  for (float& value : values) value *= scale;
}

}  // namespace

std::size_t gradient_histogram_size(std::size_t cells) noexcept {
  return (cells - 1) * (cells - 1) * 4 * kGradientDirections;
}

void gradient_histogram(const Image& image, std::size_t cells, std::span<float> histogram) {
  const std::vector<Cell> votes = vote(image, cells);
  const float cell_pixels = static_cast<float>(image.pixels().size()) / static_cast<float>(cells * cells);
  const std::size_t block_size = 4 * kGradientDirections;
  const float blocks_a_side = static_cast<float>(cells - 1);
  for (std::size_t y = 0; y + 1 < cells; ++y) {
    for (std::size_t x = 0; x + 1 < cells; ++x) {
      const auto block = histogram.first(block_size);
      histogram = histogram.subspan(block_size);
      for (std::size_t k = 0; k < 4; ++k) {
        const Cell& cell = votes[(y + k / 2) * cells + x + k % 2];
        std::copy(cell.begin(), cell.end(), block.begin() + static_cast<std::ptrdiff_t>(k * cell.size()));
      }
      divide_by_norm(block, kNoiseGradient * cell_pixels);
      for (float& value : block) value = std::min(value, kClip);
      divide_by_norm(block, kNoiseGradient);
      for (float& value : block) value /= blocks_a_side;
    }
  }
}

}  // namespace medretrieval::imaging
