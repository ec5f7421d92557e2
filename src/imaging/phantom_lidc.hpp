// Four readers' annotations of a phantom, in the form of LIDC-IDRI.
#pragma once

#include <cstddef>
#include <medretrieval/imaging/lidc.hpp>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "imaging/phantom_ct.hpp"

namespace medretrieval::imaging::phantom {

/// A slice that readers look at.
struct ReadSlice {
  double height = 0;  ///< mm below the middle of the nodule
  std::string sop_uid;
};

/// What four readers mark in the slices of one patient: at least one outlines the nodule.
/// \param canvas any slice of the series, for the way from mm to pixels
std::vector<LidcReading> draw_readings(const CtPatient& patient, const std::vector<ReadSlice>& slices,
                                       const Canvas& canvas, detail::Random& random);

/// The annotation file, as bytes.
std::string lidc_xml(const LidcAnnotations& annotations);

}  // namespace medretrieval::imaging::phantom
