#include "imaging/classical_features.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>
#include <opencv2/imgproc.hpp>

#include "base/concat.hpp"
#include "imaging/binary_patterns.hpp"
#include "imaging/gradient_histogram.hpp"

namespace medretrieval::imaging {

using detail::fail;

namespace {

constexpr std::size_t kPatternCells = 2;
constexpr std::size_t kPatternSize = kPatternCells * kPatternCells * kPatternBins;
constexpr std::size_t kGrid = 4;
constexpr std::size_t kLevels = 16;
constexpr std::size_t kBrightnessSize = 2 * kGrid * kGrid + kLevels;

struct Options {
  std::size_t side = 96;
  std::size_t cells = 4;
};

std::size_t read_integer(const nlohmann::json& value, std::string_view name, std::size_t low,
                         std::size_t high, std::size_t step) {
  const bool fits = value.is_number_integer() && value >= low && value <= high &&
                    (value.get<std::size_t>() - low) % step == 0;
  if (!fits) {
    fail(ErrorCode::invalid_argument, name, " is ", value.dump(), ", expected ", low, " to ", high,
         " in steps of ", step);
  }
  return value.get<std::size_t>();
}

Options read_options(const nlohmann::json& parameters) {
  Options options;
  for (const auto& [key, value] : parameters.items()) {
    if (key == "side") {
      options.side = read_integer(value, key, 64, 256, 16);
    } else if (key == "cells") {
      options.cells = read_integer(value, key, 2, 4, 1);
    } else {
      fail(ErrorCode::invalid_argument, "classical features have no parameter \"", key,
           "\"; they have side, cells");
    }
  }
  return options;
}

void require_display(const Image& image) {
  if (image.empty() || image.unit() != PixelUnit::display) {
    fail(ErrorCode::invalid_argument, "features are extracted from a non-empty image in display units");
  }
  for (const float value : image.pixels()) {
    if (!(value >= 0 && value <= 1)) {
      fail(ErrorCode::invalid_argument, "a display image has values of 0 to 1, got ", value);
    }
  }
}

/// Stretched to a square: measured, it finds better neighbours than a square with bars.
Image resize_to_square(const Image& image, std::size_t side) {
  Image square(side, side, PixelUnit::display);
  const auto view = [](std::span<const float> pixels, std::size_t width, std::size_t height) {
    // cv::Mat has no read-only form; resize() writes to its second argument only.
    return cv::Mat(static_cast<int>(height), static_cast<int>(width), CV_32F,
                   const_cast<float*>(pixels.data()));
  };
  cv::Mat target = view(square.pixels(), side, side);
  try {
    cv::resize(view(image.pixels(), image.width(), image.height()), target, target.size(), 0, 0,
               cv::INTER_AREA);
  } catch (const cv::Exception& error) {
    fail(ErrorCode::limit_exceeded, "OpenCV cannot resize an image of ", image.width(), " x ", image.height(),
         ": ", error.what());
  }
  return square;
}

/// The mean of every 2 x 2 pixels.
Image halve(const Image& image) {
  Image half(image.width() / 2, image.height() / 2, PixelUnit::display);
  for (std::size_t y = 0; y < half.height(); ++y) {
    const auto upper = image.row(2 * y);
    const auto lower = image.row(2 * y + 1);
    for (std::size_t x = 0; x < half.width(); ++x) {
      half.at(x, y) = 0.25F * (upper[2 * x] + upper[2 * x + 1] + lower[2 * x] + lower[2 * x + 1]);
    }
  }
  return half;
}

/// Mean and spread in a grid of regions, scaled to norms of at most 1 each.
void describe_regions(const Image& image, std::span<float> means, std::span<float> spreads) {
  const std::size_t size = image.width() / kGrid;
  for (std::size_t region = 0; region < kGrid * kGrid; ++region) {
    double sum = 0;
    double squares = 0;
    for (std::size_t y = 0; y < size; ++y) {
      for (const float value : image.row(region / kGrid * size + y).subspan(region % kGrid * size, size)) {
        sum += value;
        squares += double{value} * value;
      }
    }
    const double mean = sum / static_cast<double>(size * size);
    const double variance = std::max(0.0, squares / static_cast<double>(size * size) - mean * mean);
    means[region] = static_cast<float>(mean / kGrid);
    spreads[region] = static_cast<float>(2 * std::sqrt(variance) / kGrid);  // a spread is at most 0.5
  }
}

/// Square roots of the shares of each range of brightness, norm 1.
void describe_levels(const Image& image, std::span<float> levels) {
  std::fill(levels.begin(), levels.end(), 0.0F);
  for (const float value : image.pixels()) {
    // Split between the two nearest levels, so that a slight change of brightness is a slight change here.
    const float place = std::clamp(value, 0.0F, 1.0F) * (kLevels - 1);
    const auto level = std::min(static_cast<std::size_t>(place), kLevels - 2);
    const float share = place - static_cast<float>(level);
    levels[level] += 1 - share;
    levels[level + 1] += share;
  }
  const float count = static_cast<float>(image.pixels().size());
  for (float& value : levels) value = std::sqrt(value / count);
}

/// Edges from a coarse image, texture from two finer ones, brightness from the finest. Each family has a
/// Euclidean norm near 1, so in the distance between two images each has the same say.
class ClassicalFeatures final : public FeatureExtractor {
 public:
  explicit ClassicalFeatures(const Options& options) : options_(options) {}

  std::string_view name() const noexcept override { return kClassicalName; }
  std::string parameters() const override {
    return nlohmann::json{{"side", options_.side}, {"cells", options_.cells}}.dump();
  }
  std::size_t dimension() const noexcept override {
    return gradient_histogram_size(options_.cells) + 2 * kPatternSize + kBrightnessSize;
  }

  void extract(const Image& image, std::span<float> feature) const override {
    if (feature.size() != dimension()) {
      fail(ErrorCode::invalid_argument, "a feature has ", dimension(), " values, got room for ",
           feature.size());
    }
    require_display(image);
    const auto take = [&feature](std::size_t size) {
      const auto part = feature.first(size);
      feature = feature.subspan(size);
      return part;
    };
    const Image fine = resize_to_square(image, options_.side);
    const Image middle = halve(fine);
    gradient_histogram(halve(middle), options_.cells, take(gradient_histogram_size(options_.cells)));
    const auto patterns = take(2 * kPatternSize);
    pattern_histogram(fine, kPatternCells, patterns.first(kPatternSize));
    pattern_histogram(middle, kPatternCells, patterns.last(kPatternSize));
    for (float& value : patterns) value *= std::numbers::sqrt2_v<float> / 2;  // one family at two scales
    const auto means = take(kGrid * kGrid);
    describe_regions(fine, means, take(kGrid * kGrid));
    describe_levels(fine, take(kLevels));
  }

 private:
  Options options_;
};

}  // namespace

std::unique_ptr<FeatureExtractor> make_classical_features(const nlohmann::json& parameters) {
  return std::make_unique<ClassicalFeatures>(read_options(parameters));
}

}  // namespace medretrieval::imaging
