#include <algorithm>
#include <cmath>
#include <medretrieval/eval/pointing_game.hpp>

#include "base/concat.hpp"

namespace medretrieval::eval {

using detail::fail;

namespace {

/// Between which places of a map a pixel lies, and how near to each. Weights are whole numbers and not divided by their
/// sum, which is the same for all pixels, so that pixels which tie do so exactly.
struct Between {
  std::size_t before;
  std::size_t after;
  double before_weight;
  double after_weight;
};

std::vector<Between> lay_over(std::size_t places, std::size_t pixels) {
  std::vector<Between> line;
  line.reserve(pixels);
  const auto unit = static_cast<std::ptrdiff_t>(2 * pixels);
  for (std::size_t pixel = 0; pixel < pixels; ++pixel) {
    // The middle of the pixel, from the middle of the first place, in 1 / unit of a place.
    const auto middle =
        static_cast<std::ptrdiff_t>((2 * pixel + 1) * places) - static_cast<std::ptrdiff_t>(pixels);
    const auto last = static_cast<std::ptrdiff_t>(places - 1) * unit;
    const std::ptrdiff_t place = std::clamp(middle, std::ptrdiff_t{0}, last);
    const auto before = static_cast<std::size_t>(place / unit);
    line.push_back({before, std::min(before + 1, places - 1), static_cast<double>(unit - place % unit),
                    static_cast<double>(place % unit)});
  }
  return line;
}

double weighted(std::span<const float> row, const Between& place) {
  return place.before_weight * static_cast<double>(row[place.before]) +
         place.after_weight * static_cast<double>(row[place.after]);
}

void check_map(MatrixView map) {
  if (map.empty()) fail(ErrorCode::invalid_argument, "pointing game: expected a map with places, got none");
  for (std::size_t y = 0; y < map.rows(); ++y) {
    for (const float value : map.row(y)) {
      if (!std::isfinite(value)) {
        fail(ErrorCode::invalid_argument, "pointing game: expected a map of finite values, got ", value,
             " in row ", y);
      }
    }
  }
}

/// The share of the pixels at the scaled map's maximum that are in the region.
double share_at_maximum(MatrixView map, const Region& region) {
  const auto columns = lay_over(map.cols(), region.width());
  const auto rows = lay_over(map.rows(), region.height());
  double maximum = 0;
  std::size_t tied = 0;
  std::size_t hits = 0;
  for (std::size_t y = 0; y < rows.size(); ++y) {
    const auto above = map.row(rows[y].before);
    const auto below = map.row(rows[y].after);
    for (std::size_t x = 0; x < columns.size(); ++x) {
      const double value = rows[y].before_weight * weighted(above, columns[x]) +
                           rows[y].after_weight * weighted(below, columns[x]);
      if (tied == 0 || value > maximum) {
        maximum = value;
        tied = 0;
        hits = 0;
      }
      if (value == maximum) {
        ++tied;
        hits += region.contains(x, y) ? 1 : 0;
      }
    }
  }
  return static_cast<double>(hits) / static_cast<double>(tied);
}

/// The share of the 1, 2 or 4 middle pixels that are in the region.
double share_in_middle(const Region& region) {
  double hits = 0;
  double pixels = 0;
  for (std::size_t y = (region.height() - 1) / 2; y <= region.height() / 2; ++y) {
    for (std::size_t x = (region.width() - 1) / 2; x <= region.width() / 2; ++x) {
      hits += region.contains(x, y) ? 1 : 0;
      ++pixels;
    }
  }
  return hits / pixels;
}

double mean_of(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

}  // namespace

Pointing point(MatrixView map, const Region& region, std::size_t tolerance) {
  check_map(map);
  if (region.area() == 0) {
    fail(ErrorCode::invalid_argument, "pointing game: expected a region with pixels, got an empty one");
  }
  const Region target = region.grown(tolerance);
  const auto pixels = static_cast<double>(target.width() * target.height());
  return {share_at_maximum(map, target), static_cast<double>(target.area()) / pixels,
          share_in_middle(target)};
}

PointingScore pointing_score(std::span<const Pointing> images, std::span<const std::string> patients,
                             std::size_t resamples, std::uint64_t seed) {
  if (images.empty() || images.size() != patients.size()) {
    fail(ErrorCode::invalid_argument, "pointing game: expected images with a patient each, got ",
         images.size(), " images and ", patients.size(), " patients");
  }
  const auto values_of = [&](const auto& value) {
    std::vector<double> values;
    values.reserve(images.size());
    for (const Pointing& image : images) values.push_back(value(image));
    return values;
  };
  const auto over_patients = [&](const std::vector<double>& values) {
    return PatientMean{mean_of(values), bootstrap_interval(values, patients, resamples, seed)};
  };
  PointingScore score;
  score.images = images.size();
  score.score = over_patients(values_of([](const Pointing& image) { return image.hit; }));
  score.chance = mean_of(values_of([](const Pointing& image) { return image.chance; }));
  score.middle = mean_of(values_of([](const Pointing& image) { return image.middle; }));
  score.above_chance =
      over_patients(values_of([](const Pointing& image) { return image.hit - image.chance; }));
  score.above_middle =
      over_patients(values_of([](const Pointing& image) { return image.hit - image.middle; }));
  return score;
}

}  // namespace medretrieval::eval
