/// \file
/// Lung nodules cut out of CT slices as papers 001 and 003 do it, with every intermediate image to look at.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <medretrieval/imaging/dataset.hpp>
#include <medretrieval/imaging/image.hpp>
#include <medretrieval/imaging/lidc.hpp>

namespace medretrieval::imaging {

/// One intermediate image, for showing.
struct ExplainedStep {
  std::string name;
  Image image;  ///< display units
};
/// The intermediate images in order.
using Explanation = std::vector<ExplainedStep>;

/// The square of `side` pixels around the middle of the outline's box (left + right and top + bottom, each
/// divided by 2 and rounded down; the square begins side / 2 before it), moved into the slice as far as needed.
/// \throws Error invalid_argument (no point, a side of 0 or above a side of the slice), corrupt (a point
///        outside of the slice).
PixelRegion square_around(const LidcContour& contour, std::size_t columns, std::size_t rows,
                          std::size_t side);

/// The pixels of `region`, values and unit kept.
/// \throws Error (invalid_argument) when the region is empty or leaves the image.
Image cut_out(const Image& image, const PixelRegion& region);

/// How the lungs of an axial slice are found. A radius of 0 leaves its step out.
struct LungMaskOptions {
  /// Below it is air or lung, HU. Between lung (about -850) and soft tissue (about 40).
  double threshold_hu = -400;
  bool clear_border = true;  ///< what touches the edge of the slice is air around the patient
  /// The largest areas that are kept, 0 to 1000; 0: all. 2: both lungs.
  int components = 2;
  double closing_mm = 0;   ///< radius; fills vessels and nodules
  double opening_mm = 0;   ///< radius; takes thin bridges away
  double dilation_mm = 0;  ///< radius; last: takes nodules at the wall in
  double pixel_spacing_mm = 0.7;

  /// \throws Error (invalid_argument) naming the field, its range and its value: radii are 0 to 50 mm and at
  ///        most 64 pixels.
  void validate() const;
};

/// Paper 001: threshold, dilation and erosion, largest components, contour-guided crop, fixed size. The paper
/// gives no numbers; docs/lidc.md says why these were chosen.
struct NoduleRegionOptions {
  LungMaskOptions lung = {.closing_mm = 7, .opening_mm = 1};
  /// What lies neither in the lungs nor in the outline is black.
  bool mask = true;
  /// True: a square with `margin_mm` around the outline, scaled to `side`. False: square_around(side).
  bool fit = true;
  double margin_mm = 4;          ///< 0 to 100
  std::size_t side = 32;         ///< of the result, 8 to 1024
  Window window = {-300, 1800};  ///< -1200 to 600 HU

  /// \throws Error (invalid_argument) naming the field, its range and its value.
  void validate() const;
};

/// The region of the nodule outlined by `contour`, in display units. Steps, when asked for: input, binary,
/// clear border, closing, opening, largest components, lung, contour, crop, region; those left out are absent.
/// \param slice Hounsfield units
/// \throws Error invalid_argument (options, another unit, a slice smaller than the side of a region that is not
///        fitted, a contour without points), corrupt (a contour outside of the slice), limit_exceeded (a
///        slice above 4096 pixels a side, or a large one with a large radius in pixels).
Image nodule_region(const Image& slice, const LidcContour& contour, const NoduleRegionOptions& options = {},
                    Explanation* steps = nullptr);

/// Paper 003: -1200 to 600 HU, binary, clear border, closing, dilation, input (its Fig. 1a).
struct LungInputOptions {
  LungMaskOptions lung = {.components = 0, .closing_mm = 7, .dilation_mm = 5};
  std::size_t side = 0;  ///< of the result, 8 to 4096; 0: as the slice
  Window window = {-300, 1800};

  /// \throws Error (invalid_argument) naming the field, its range and its value.
  void validate() const;
};

/// The slice with everything but the lungs black, in display units. Steps, when asked for: origin, binary,
/// clear border, closing, dilation, input.
/// \param slice Hounsfield units
/// \throws Error invalid_argument (options, another unit), limit_exceeded (a slice above 4096 pixels a side,
///        or a large one with a large radius in pixels).
Image lung_input(const Image& slice, const LungInputOptions& options = {}, Explanation* steps = nullptr);

/// All steps side by side, each scaled into a square of `cell` pixels with its name below.
/// \throws Error (invalid_argument) when there are no steps, or cell is not 32 to 1024 or columns not 1 to 64.
Image contact_sheet(const Explanation& steps, std::size_t cell = 192, std::size_t columns = 4);

}  // namespace medretrieval::imaging
