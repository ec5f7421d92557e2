#include "imaging/binary_patterns.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

namespace medretrieval::imaging {

namespace {

// A neighbour is brighter from two grey levels on, so that noise on flat ground makes no pattern.
constexpr float kBrighter = 2.0F / 255;

// Neighbours along the ring, so that neighbouring bits are neighbouring pixels.
struct Offset {
  int x;
  int y;
};
constexpr std::array<Offset, 8> kRing = {
    {{-1, -1}, {0, -1}, {1, -1}, {1, 0}, {1, 1}, {0, 1}, {-1, 1}, {-1, 0}}};

// The bin of every pattern: its number of bright neighbours when they form one arc.
constexpr std::array<std::uint8_t, 256> make_bins() {
  std::array<std::uint8_t, 256> bins = {};
  for (unsigned pattern = 0; pattern < 256; ++pattern) {
    const auto ring = static_cast<std::uint8_t>(pattern);
    const int changes = std::popcount(static_cast<std::uint8_t>(ring ^ std::rotl(ring, 1)));
    bins[pattern] = static_cast<std::uint8_t>(changes <= 2 ? std::popcount(ring) : 9);
  }
  return bins;
}
constexpr std::array<std::uint8_t, 256> kBins = make_bins();

}  // namespace

void pattern_histogram(const Image& image, std::size_t cells, std::span<float> histogram) {
  std::fill(histogram.begin(), histogram.end(), 0.0F);
  const std::size_t side = image.width();
  for (std::size_t y = 1; y + 1 < side; ++y) {
    for (std::size_t x = 1; x + 1 < side; ++x) {
      const float threshold = image.at(x, y) + kBrighter;
      unsigned pattern = 0;
      for (std::size_t i = 0; i < kRing.size(); ++i) {
        const std::size_t at_x = x + static_cast<std::size_t>(kRing[i].x);
        const std::size_t at_y = y + static_cast<std::size_t>(kRing[i].y);
        pattern |= static_cast<unsigned>(image.at(at_x, at_y) >= threshold) << i;
      }
      const std::size_t cell = (y * cells / side) * cells + x * cells / side;
      histogram[cell * kPatternBins + kBins[pattern]] += 1;
    }
  }
  const float count = static_cast<float>((side - 2) * (side - 2));
  for (float& value : histogram) value = std::sqrt(value / count);
}

}  // namespace medretrieval::imaging
