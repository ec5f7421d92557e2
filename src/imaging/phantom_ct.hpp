// One patient's chest and nodule, and CT slices through them at any height.
#pragma once

#include <cstddef>
#include <functional>
#include <medretrieval/imaging/phantom.hpp>

#include "base/random.hpp"
#include "imaging/phantom_canvas.hpp"
#include "imaging/phantom_chest_slice.hpp"
#include "imaging/phantom_nodule.hpp"

namespace medretrieval::imaging::phantom {

inline constexpr double kWholeSliceMm = 360;
inline constexpr Point kMiddleOfSlice{0, 8};

/// What is drawn once for a patient.
struct CtPatient {
  NoduleRatings ratings;
  Chest chest;
  Nodule nodule;
  double noise = 20;  ///< HU
};

CtPatient draw_ct_patient(const PhantomOptions& options, std::size_t patient);

/// How one slice is taken.
struct CtScan {
  double height = 0;  ///< mm off the middle of the nodule, growing towards the feet
  Placement placement;
  double noise = 20;  ///< HU
  bool with_nodule = true;
};

/// A slice in Hounsfield units. `paint_more` paints what else is in the body before blur and noise.
Canvas paint_ct_slice(const CtPatient& patient, const CtScan& scan, std::size_t side, detail::Random& random,
                      const std::function<void(Canvas&)>& paint_more = {});

/// Whole Hounsfield units, as a 12-bit scanner stores them.
Image to_ct_image(const Canvas& canvas);

}  // namespace medretrieval::imaging::phantom
