#include "eval/line_chart.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "base/concat.hpp"

namespace medretrieval::eval {

using detail::concat;

namespace {

constexpr double kLeft = 50;
constexpr double kTop = 15;
constexpr double kWidth = 480;
constexpr double kHeight = 300;
constexpr int kSteps = 5;  // of the grid

/// A round number at or above `value`: 1, 2 or 5 times a power of ten.
double round_limit(double value) {
  if (!(value > 0)) return 1;
  const double power = std::pow(10, std::floor(std::log10(value)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (value <= factor * power * (1 + 1e-9)) return factor * power;
  }
  return 10 * power;
}

/// How many digits a grid of steps up to `limit` needs.
int digits_of(double limit) {
  return limit / kSteps >= 1 ? 0 : static_cast<int>(std::ceil(-std::log10(limit / kSteps) - 1e-9));
}

struct Axes {
  double x_first, x_last, y_limit;

  double x(double value) const {
    return kLeft + kWidth * (x_last > x_first ? (value - x_first) / (x_last - x_first) : 0.5);
  }
  double y(double value) const { return kTop + kHeight * (1 - std::clamp(value / y_limit, 0.0, 1.0)); }
};

Axes axes_of(const LineChart& chart) {
  Axes axes = {chart.x_first, chart.x_first, 0};
  double highest = 0;
  for (const auto& line : chart.lines) {
    axes.x_last =
        std::max(axes.x_last, chart.x_first + chart.x_step * static_cast<double>(line.values.size() - 1));
    for (const double value : line.values) highest = std::max(highest, value);
  }
  axes.y_limit = round_limit(highest);
  return axes;
}

std::string grid(const LineChart& chart, const Axes& axes) {
  std::string svg;
  const double x_range = axes.x_last - axes.x_first;
  for (int i = 0; i <= kSteps; ++i) {
    const double share = i / static_cast<double>(kSteps);
    const double y = kTop + kHeight * (1 - share);
    svg += concat("<line x1=\"", kLeft, "\" x2=\"", kLeft + kWidth, "\" y1=\"", y, "\" y2=\"", y,
                  "\" stroke=\"currentColor\" stroke-opacity=\".12\"/>", "<text x=\"", kLeft - 8, "\" y=\"",
                  y + 4, "\" text-anchor=\"end\">", fixed(axes.y_limit * share, digits_of(axes.y_limit)),
                  "</text><text x=\"", kLeft + kWidth * share, "\" y=\"", kTop + kHeight + 18,
                  "\" text-anchor=\"middle\">", fixed(axes.x_first + x_range * share, digits_of(x_range)),
                  "</text>\n");
  }
  svg += concat("<text x=\"", kLeft + kWidth / 2, "\" y=\"", kTop + kHeight + 36,
                "\" text-anchor=\"middle\">", escaped(chart.x_label), "</text><text x=\"14\" y=\"",
                kTop + kHeight / 2, "\" text-anchor=\"middle\" transform=\"rotate(-90 14 ",
                kTop + kHeight / 2, ")\">", escaped(chart.y_label), "</text>\n");
  return svg;
}

}  // namespace

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::string fixed(double value, int digits) {
  std::array<char, 48> buffer;
  std::snprintf(buffer.data(), buffer.size(), "%.*f", digits, value);
  return buffer.data();
}

std::string svg_chart(const LineChart& chart) {
  constexpr const char* kColours[] = {"#3d7dd8", "#d0722c", "#2a9d6f", "#9a5bc4", "#7c8794", "#c23b6b"};
  const Axes axes = axes_of(chart);
  std::string svg = concat("<svg viewBox=\"0 0 680 360\" role=\"img\" aria-label=\"", escaped(chart.title),
                           "\">\n", grid(chart, axes));
  std::size_t number = 0;
  for (const auto& line : chart.lines) {
    if (line.values.empty()) continue;
    const char* colour = kColours[number % std::size(kColours)];
    std::string points;
    for (std::size_t i = 0; i < line.values.size(); ++i) {
      points += concat(fixed(axes.x(chart.x_first + chart.x_step * static_cast<double>(i)), 1), ",",
                       fixed(axes.y(line.values[i]), 1), " ");
    }
    const double y = kTop + 14 + 20 * static_cast<double>(number);
    svg +=
        concat("<polyline fill=\"none\" stroke=\"", colour, "\" stroke-width=\"2\" points=\"", points, "\"/>",
               "<line x1=\"548\" x2=\"572\" y1=\"", y, "\" y2=\"", y, "\" stroke=\"", colour,
               "\" stroke-width=\"3\"/><text x=\"580\" y=\"", y + 4, "\">", escaped(line.name), "</text>\n");
    ++number;
  }
  return svg + "</svg>\n";
}

}  // namespace medretrieval::eval
