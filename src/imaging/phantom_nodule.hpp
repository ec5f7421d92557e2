// A lung nodule: the ratings that radiologists give one, and a drawing that follows them.
#pragma once

#include <medretrieval/imaging/image.hpp>
#include <vector>

#include "base/random.hpp"
#include "imaging/phantom_canvas.hpp"
#include "imaging/phantom_chest_slice.hpp"
#include "imaging/phantom_geometry.hpp"

namespace medretrieval::imaging::phantom {

/// Ratings as in LIDC-IDRI, 1 to 5, drawn as continuous numbers.
struct NoduleRatings {
  int malignancy = 1;        ///< 1 or 2 (benign), 4 or 5 (malignant)
  double diameter_mm = 8;    ///< 4 to 26
  double margin = 5;         ///< 1 poorly defined, 5 sharp
  double lobulation = 1;     ///< 1 none, 5 marked
  double spiculation = 1;    ///< 1 none, 5 marked
  double texture = 5;        ///< 1 ground glass, 3 part-solid, 5 solid
  double calcification = 0;  ///< share of the diameter that is calcified, 0 to 0.8
};

/// Every rating is a noisy monotone function of malignancy, so that the classes overlap.
NoduleRatings draw_ratings(detail::Random& random);

/// A pointed ray of a nodule's outline.
struct Spicule {
  double angle = 0;         ///< pseudo_angle of its tip
  double half_width = 0.1;  ///< of its foot, in the same unit
  double height = 0.5;      ///< above the outline, mm
};

/// A nodule of one patient, centred on height 0 of the chest.
struct Nodule {
  NoduleRatings ratings;
  Blob outline;
  Blob core;           ///< the solid part; the rest is ground glass
  double solid = 30;   ///< HU
  double haze = -600;  ///< HU of the ground-glass part
  std::vector<Spicule> spicules;
};

/// Places a nodule of those ratings in a lung of `slice`, which is the chest at height 0.
Nodule draw_nodule(const NoduleRatings& ratings, const ChestSlice& slice, detail::Random& random);

/// How far off its middle a nodule is drawn, in mm.
double half_extent(const Nodule& nodule);

/// The relative width of a nodule in a slice `height` mm off its middle, where a ball is cut smaller.
double cut_share(const Nodule& nodule, double height);

/// Paints the nodule as a slice `height` mm off its middle shows it.
void paint_nodule(const Nodule& nodule, double height, const Unevenness& grain, Canvas& hounsfield);

/// Where paint_nodule() paints: 1 in the pixels of `canvas` that the nodule covers by half or more, and in the one that
/// its middle lies in or is nearest to where it covers none so far; display units.
Image nodule_mask(const Nodule& nodule, double height, const Unevenness& grain, const Canvas& canvas);

}  // namespace medretrieval::imaging::phantom
