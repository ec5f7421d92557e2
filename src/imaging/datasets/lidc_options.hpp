// The options of LIDC-IDRI.
#pragma once

#include <filesystem>
#include <medretrieval/imaging/lidc.hpp>
#include <medretrieval/imaging/nodule_region.hpp>
#include <medretrieval/parameters.hpp>
#include <vector>

#include "imaging/datasets/lidc_nodules.hpp"

namespace medretrieval::imaging::datasets {

/// What an image shows; docs/lidc.md.
enum class ImageForm { region, square, lungs };

/// What becomes of a nodule.
struct LidcOptions {
  ImageForm form = ImageForm::region;
  SliceChoice slices = SliceChoice::all;
  bool drop_undecided = false;
  LidcGroupingOptions grouping;
  NoduleRegionOptions region;
  LungInputOptions lungs;
  std::filesystem::path explain;  ///< empty: no sheets
};

/// Their schema.
std::vector<OptionSpec> lidc_option_specs();

/// \throws Error (invalid_argument) that lists what is possible.
LidcOptions read_lidc_options(const Parameters& given);

}  // namespace medretrieval::imaging::datasets
