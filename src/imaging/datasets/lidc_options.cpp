#include "imaging/datasets/lidc_options.hpp"

#include <initializer_list>
#include <string>
#include <utility>

#include "base/concat.hpp"
#include "imaging/datasets/lung_options.hpp"

namespace medretrieval::imaging::datasets {

using detail::fail;

namespace {

template <class Choice>
Choice choice(const Parameters& given, const char* name,
              std::initializer_list<std::pair<const char*, Choice>> choices) {
  const std::string& chosen = std::get<std::string>(given.at(name));
  std::string names;
  for (const auto& [text, value] : choices) {
    if (chosen == text) return value;
    names += (names.empty() ? "" : ", ") + std::string(text);
  }
  fail(ErrorCode::invalid_argument, name, " must be one of ", names, "; got '", chosen, "'");
}

/// Of the region of interest alone.
std::vector<OptionSpec> region_option_specs() {
  return {{"margin_mm", 4.0, 0, 100, "around the outline, where image is region"},
          {"mask", true, 0, 0, "black outside of the lungs and the outline, where image is region"}};
}

double real(const Parameters& given, const char* name) {
  return std::get<double>(given.at(name));
}

}  // namespace

LidcOptions read_lidc_options(const Parameters& given) {
  LidcOptions options;
  options.form = choice<ImageForm>(
      given, "image",
      {{"region", ImageForm::region}, {"square", ImageForm::square}, {"lungs", ImageForm::lungs}});
  const std::string& image = std::get<std::string>(given.at("image"));
  if (options.form != ImageForm::region) refuse_unused(given, region_option_specs(), image);
  if (options.form == ImageForm::square) refuse_unused(given, lung_option_specs(), image);
  options.slices = choice<SliceChoice>(
      given, "slices",
      {{"all", SliceChoice::all}, {"three", SliceChoice::three}, {"middle", SliceChoice::middle}});
  options.drop_undecided = std::get<bool>(given.at("drop_undecided"));
  options.grouping.min_overlap = real(given, "min_overlap");
  take_lung_options(given, options.region.lung);
  take_lung_options(given, options.lungs.lung);
  options.region.fit = options.form == ImageForm::region;
  options.region.mask = options.form == ImageForm::region && std::get<bool>(given.at("mask"));
  options.region.margin_mm = real(given, "margin_mm");
  options.region.window = {real(given, "window_center"), real(given, "window_width")};
  options.lungs.window = options.region.window;
  const auto side = static_cast<std::size_t>(std::get<std::int64_t>(given.at("side")));
  if (side > 0) options.region.side = side;
  options.lungs.side = side;
  options.explain = std::get<std::string>(given.at("explain"));
  options.grouping.validate();
  options.region.validate();
  options.lungs.validate();
  return options;
}

std::vector<OptionSpec> lidc_option_specs() {
  std::vector<OptionSpec> specs = {
      {"image", std::string("region"), 0, 0,
       "region: paper 001's region of interest; square: pixels around the outline as they are; lungs: paper "
       "003's "
       "whole slice with everything but the lungs black"},
      {"slices", std::string("all"), 0, 0,
       "of a nodule: all with an outline, the middle, or three around it"},
      {"drop_undecided", false, 0, 0, "leave out nodules whose median malignancy is exactly 3"},
      {"min_overlap", 0.1, 0, 1,
       "two readers' outlines are of one nodule above this share of the smaller volume"},
      {"side", std::int64_t{0}, 0, 1024, "pixels; 0: 32, or the side of the slice where image is lungs"},
      {"window_center", -300.0, -32768, 32767, "HU"},
      {"window_width", 1800.0, 1, 65536, "HU"},
      {"explain", std::string(), 0, 0,
       "folder for a contact sheet of the steps of every image that is made"}};
  for (const auto& more : {region_option_specs(), lung_option_specs()}) {
    specs.insert(specs.end(), more.begin(), more.end());
  }
  return specs;
}

}  // namespace medretrieval::imaging::datasets
