// Small drawn images and a network that learns them in a moment.
#pragma once

#include <cmath>
#include <cstddef>
#include <medretrieval/torch/training.hpp>
#include <string>

#include "base/random.hpp"

namespace medretrieval::deep::testing {

/// Bright discs (even rows) and squares (odd rows) of varying place and noise.
inline imaging::Image draw(std::size_t row) {
  detail::Random random(row);
  imaging::Image image(32, 32, imaging::PixelUnit::display);
  const double cx = 10 + 12 * random.uniform();
  const double cy = 10 + 12 * random.uniform();
  for (std::size_t y = 0; y < 32; ++y) {
    for (std::size_t x = 0; x < 32; ++x) {
      const double dx = std::abs(static_cast<double>(x) - cx);
      const double dy = std::abs(static_cast<double>(y) - cy);
      const bool inside = row % 2 == 0 ? dx * dx + dy * dy < 36 : (dx < 9 && dy < 3);
      image.at(x, y) = static_cast<float>((inside ? 0.7 : 0.2) + 0.1 * random.uniform());
    }
  }
  return image;
}

inline TrainingImages make_images(std::size_t rows) {
  TrainingImages images;
  images.load = draw;
  for (std::size_t row = 0; row < rows; ++row) {
    images.labels.push_back({row % 2 == 0 ? "disc" : "bar"});
    images.patients.push_back(std::string("P").append(std::to_string(row / 4)));
  }
  return images;
}

inline TrainingOptions quick_options() {
  TrainingOptions options;
  options.network_options = {{"form", std::string("cnn")}, {"features", std::int64_t{32}}, {"dropout", 0.1}};
  options.bits = 16;
  TrainingPlan plan;
  plan.epochs = 6;
  plan.batch = 16;
  plan.learning_rate = 1e-3;
  options.plan = plan;
  options.threads = 1;
  return options;
}

inline TrainingOptions resnet_options() {
  auto options = quick_options();
  options.network = "resnet18";
  options.network_options = {};
  options.side = 32;
  return options;
}

}  // namespace medretrieval::deep::testing
