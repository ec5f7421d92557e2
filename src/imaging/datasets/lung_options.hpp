// The options of the lungs' preprocessing, for every data set of CT slices.
#pragma once

#include <medretrieval/imaging/nodule_region.hpp>
#include <medretrieval/parameters.hpp>
#include <span>
#include <string_view>
#include <vector>

namespace medretrieval::imaging::datasets {

/// threshold_hu, clear_border, components, closing_mm, opening_mm and dilation_mm; -1 stands for what the paper
/// of the image takes.
std::vector<OptionSpec> lung_option_specs();

/// \throws Error (invalid_argument) for an option of `specs` that was given, because the chosen image is made
///        without it. What equals the default counts as not given.
void refuse_unused(const Parameters& given, std::span<const OptionSpec> specs, std::string_view image);

/// Takes them over. Given are all of lung_option_specs().
void take_lung_options(const Parameters& given, LungMaskOptions& lung);

}  // namespace medretrieval::imaging::datasets
