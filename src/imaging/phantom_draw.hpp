// What the kinds of phantom share: seeds, the calendar, and one drawing function each.
#pragma once

#include <chrono>
#include <cstddef>
#include <medretrieval/imaging/phantom.hpp>
#include <string>
#include <vector>

#include "base/random.hpp"

namespace medretrieval::imaging::phantom {

/// Pixels of the square image: the option, or the kind's own.
std::size_t drawn_side(const PhantomOptions& options);

/// Random numbers for what stays the same over a patient's images.
detail::Random patient_stream(const PhantomOptions& options, std::size_t patient);

/// Random numbers for one image: a stream of its own, so that images can be drawn in any order.
detail::Random image_stream(const PhantomOptions& options, std::size_t patient, std::size_t index);

/// Random numbers for where the nodule lies in one image: apart, so that nothing else depends on offset_mm.
detail::Random offset_stream(const PhantomOptions& options, std::size_t patient, std::size_t index);

/// When an image was taken.
struct StudyDay {
  std::chrono::sys_days day;
  int since_first = 0;  ///< days after the patient's first image
};

StudyDay study_day(const PhantomOptions& options, std::size_t patient, std::size_t index);

/// The drawing for PhantomKind::chest_ct: image, mask, labels and attributes are set.
PhantomImage draw_chest_ct(const PhantomOptions& options, std::size_t patient, std::size_t index);

/// The drawing for PhantomKind::chest_xray: image, mask, labels and attributes are set.
PhantomImage draw_chest_xray(const PhantomOptions& options, std::size_t patient, std::size_t index);

/// Where a finding lies, in pixels of its image.
struct FindingBox {
  std::string label;
  double left = 0;
  double top = 0;
  double width = 0;
  double height = 0;
};

/// The nodules and masses of the image that draw_chest_xray draws.
std::vector<FindingBox> chest_xray_boxes(const PhantomOptions& options, std::size_t patient,
                                         std::size_t index);

}  // namespace medretrieval::imaging::phantom
