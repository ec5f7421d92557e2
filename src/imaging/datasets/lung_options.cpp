#include "imaging/datasets/lung_options.hpp"

#include <string>
#include <utility>

#include "base/concat.hpp"

namespace medretrieval::imaging::datasets {

std::vector<OptionSpec> lung_option_specs() {
  return {{"threshold_hu", -400.0, -2000, 3000, "below it is air or lung"},
          {"clear_border", true, 0, 0, "take away what touches the edge of the slice"},
          {"components", std::int64_t{-1}, -1, 1000,
           "the largest that are kept; 0: all; -1: 2, or all for lungs"},
          {"closing_mm", -1.0, -1, 50, "radius; 0: leave out; -1: 7"},
          {"opening_mm", -1.0, -1, 50, "radius; 0: leave out; -1: 1, or left out for lungs"},
          {"dilation_mm", -1.0, -1, 50, "radius; 0: leave out; -1: left out, or 5 for lungs"}};
}

void refuse_unused(const Parameters& given, std::span<const OptionSpec> specs, std::string_view image) {
  for (const OptionSpec& spec : specs) {
    if (given.at(spec.name) == spec.default_value) continue;
    detail::fail(ErrorCode::invalid_argument, "the option ", spec.name, " means nothing where image is ",
                 image);
  }
}

void take_lung_options(const Parameters& given, LungMaskOptions& lung) {
  const auto real = [&](const char* name) { return std::get<double>(given.at(name)); };
  lung.threshold_hu = real("threshold_hu");
  lung.clear_border = std::get<bool>(given.at("clear_border"));
  const auto components = std::get<std::int64_t>(given.at("components"));
  if (components >= 0) lung.components = static_cast<int>(components);
  for (const auto& [name, member] : {std::pair("closing_mm", &LungMaskOptions::closing_mm),
                                     std::pair("opening_mm", &LungMaskOptions::opening_mm),
                                     std::pair("dilation_mm", &LungMaskOptions::dilation_mm)}) {
    if (real(name) >= 0) lung.*member = real(name);
  }
}

}  // namespace medretrieval::imaging::datasets
