// Line charts as SVG, for the report.
#pragma once

#include <medretrieval/eval/report.hpp>
#include <string>

namespace medretrieval::eval {

/// Text as HTML: what comes from manifests and file names is not trusted.
std::string escaped(const std::string& text);

/// A number with so many digits after the point.
std::string fixed(double value, int digits);

std::string svg_chart(const LineChart& chart);

}  // namespace medretrieval::eval
