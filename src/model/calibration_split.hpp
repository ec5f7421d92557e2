// Which training rows fit the gate and which calibrate it.
#pragma once

#include <cstddef>
#include <medretrieval/labels.hpp>
#include <span>
#include <string>
#include <vector>

namespace medretrieval::detail {

/// The labelled rows, those of a fifth of them apart. No patient is on both sides.
struct CalibrationSplit {
  std::vector<std::size_t> fit;  ///< ascending
  std::vector<std::size_t>
      held_out;  ///< ascending, at most a fifth of the labelled rows unless every patient
                 ///< has more; never empty
};

/// Patients are dealt in the order of a hash of their name, so that file order does not decide. No class loses
/// its last row to the held-out side.
/// \param patients one a row, or empty; a row of unknown patient stands alone
/// \throws Error (invalid_argument) with fewer than ten labelled rows or two patients, or when no patient can be
///        spared.
CalibrationSplit split_by_patient(const LabelSets& labels, std::span<const std::string> patients);

}  // namespace medretrieval::detail
