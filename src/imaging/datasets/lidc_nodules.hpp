// A nodule of several readers in the slices of its series.
#pragma once

#include <cstddef>
#include <medretrieval/imaging/lidc.hpp>
#include <string>
#include <vector>

#include "imaging/datasets/lidc_series.hpp"

namespace medretrieval::imaging::datasets {

/// A slice and the outline that guides its crop.
struct NoduleSlice {
  std::size_t slice = 0;  ///< index into CtSeries::slices
  LidcContour outline;
};

/// Which slices of a nodule become images.
enum class SliceChoice {
  middle,  ///< the one with the largest outline, by what it encloses
  three,   ///< that one and its neighbours in the series; two at its end
  all,     ///< all that have an outline
};

/// A nodule found in its series.
struct FoundNodule {
  std::vector<NoduleSlice> slices;  ///< upwards; in each the largest outline of its readers
  std::size_t missing = 0;          ///< outlines whose slices are not there
};

/// \throws Error (corrupt) when an outline leaves its slice.
FoundNodule find_nodule(const LidcAnnotations& annotations, const LidcNoduleGroup& group,
                        const CtSeries& series);

/// Those that are chosen; a neighbour without an outline takes that of the middle. `slices` is not empty.
std::vector<NoduleSlice> choose_slices(const std::vector<NoduleSlice>& slices, SliceChoice choice,
                                       std::size_t series_slices);

/// The longest side of an outline's box, in pixels.
std::size_t longest_side(const LidcContour& outline);

}  // namespace medretrieval::imaging::datasets
