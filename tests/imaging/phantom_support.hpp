// What the tests of phantoms measure on images.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <map>
#include <medretrieval/imaging/phantom.hpp>
#include <string>
#include <vector>

#include "support/make_images.hpp"

namespace medretrieval::testing {

/// FNV-1a over the bits of the pixels.
inline std::uint64_t checksum(const imaging::Image& image) {
  std::uint64_t sum = 0xcbf29ce484222325ULL;
  for (const float pixel : image.pixels()) {
    sum ^= std::bit_cast<std::uint32_t>(pixel);
    sum *= 0x100000001b3ULL;
  }
  return sum;
}

/// Means over a grid of 16 x 16 regions.
inline std::vector<double> coarse(const imaging::Image& image) {
  constexpr std::size_t kGrid = 16;
  const std::size_t size = image.width() / kGrid;
  std::vector<double> means(kGrid * kGrid);
  for (std::size_t y = 0; y < kGrid * size; ++y) {
    for (std::size_t x = 0; x < kGrid * size; ++x) {
      means[y / size * kGrid + x / size] += image.at(x, y) / static_cast<double>(size * size);
    }
  }
  return means;
}

/// Mean absolute difference of two images' coarse forms; their sizes may differ.
inline double coarse_distance(const imaging::Image& a, const imaging::Image& b) {
  const std::vector<double> left = coarse(a);
  const std::vector<double> right = coarse(b);
  double sum = 0;
  for (std::size_t i = 0; i < left.size(); ++i) sum += std::abs(left[i] - right[i]);
  return sum / static_cast<double>(left.size());
}

/// Pearson's correlation.
inline double correlation(const std::vector<double>& x, const std::vector<double>& y) {
  const auto count = static_cast<double>(x.size());
  double mean_x = 0;
  double mean_y = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    mean_x += x[i] / count;
    mean_y += y[i] / count;
  }
  double xx = 0;
  double xy = 0;
  double yy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    xy += (x[i] - mean_x) * (y[i] - mean_y);
    yy += (y[i] - mean_y) * (y[i] - mean_y);
  }
  return xy / std::sqrt(xx * yy);
}

/// Every file below a folder, by its path there, with its bytes.
inline std::map<std::string, std::vector<std::uint8_t>> folder_content(const std::filesystem::path& folder) {
  std::map<std::string, std::vector<std::uint8_t>> content;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    const auto bytes = read_bytes(entry.path());
    content[entry.path().lexically_relative(folder).string()].assign(bytes.begin(), bytes.end());
  }
  return content;
}

/// Mean of the pixels in a rectangle that is cut at the edges; columns and rows up to but without the ends.
inline double mean_in(const imaging::Image& image, double left, double top, double right, double bottom) {
  double sum = 0;
  double count = 0;
  for (std::size_t y = 0; y < image.height(); ++y) {
    for (std::size_t x = 0; x < image.width(); ++x) {
      const auto column = static_cast<double>(x);
      const auto row = static_cast<double>(y);
      if (column < left || column >= right || row < top || row >= bottom) continue;
      sum += image.at(x, y);
      ++count;
    }
  }
  return count > 0 ? sum / count : std::nan("");
}

inline imaging::PhantomOptions xray_options() {
  imaging::PhantomOptions options;
  options.kind = imaging::PhantomKind::chest_xray;
  return options;
}

}  // namespace medretrieval::testing
